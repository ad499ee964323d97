#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Who may do what: every member of the interface as everybody, what users can do to each other's
jobs, jobs that are taken over, and jobs whose user is gone."""
import contextlib
import json
import os
import pwd
import random
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'lib'))
import tap  # noqa: E402
from bus import (JOB, MANAGER, MANAGER_PATH, NAME, PROPERTIES, Client, DBusError, GLib, Job,  # noqa: E402
                 dictionary, stays, wait_for)
from httpd import MIB, Answer, Forever  # noqa: E402
from processes import executable  # noqa: E402
from world import SystemCase, temporaries  # noqa: E402

INTERFACE = os.path.join(os.environ['TFD_SOURCE_ROOT'], 'introspection', 'org.transferd.Transfer1.xml')
RULES = '/etc/polkit-1/rules.d/10-test.rules'
NAMELESS = 54321  # a user id that is nobody's
PART_OF_ACTIONS = 'org.transferd.transfer1.'

# The outcomes of a call: that it succeeds, or the last part of the name of its error.
OK = 'ok'
ASK = 'InteractiveAuthorizationRequired'
DENIED = 'AccessDenied'
UNKNOWN = 'NotFound'
ROLES = ['owner', 'other', 'administrator', 'root', 'nobody', 'nameless']


def public(outcome=OK, nameless=DENIED):
    """Everybody may, each for their own."""
    return {**dict.fromkeys(ROLES, outcome), 'nameless': nameless}


def owner(outcome=OK):
    """The owner and administrators."""
    return {'owner': outcome, 'other': UNKNOWN, 'administrator': outcome, 'root': outcome,
            'nobody': UNKNOWN, 'nameless': DENIED}


def owner_only(outcome=OK):
    return {**owner(outcome), 'administrator': DENIED, 'root': DENIED}


def administrators(others=ASK):
    return {'owner': others, 'other': others, 'administrator': OK, 'root': OK, 'nobody': others,
            'nameless': DENIED}


# What each property of a job is: who may set it, the others see it.
JOB_PROPERTIES = {
    **dict.fromkeys(['Id', 'Type', 'State', 'Operation', 'OwnerUID', 'OwnerName', 'BytesTotal',
                     'BytesTransferred', 'BytesPerSecond', 'FilesTotal', 'FilesTransferred',
                     'ReplyBytesTotal', 'ReplyBytesTransferred', 'CreationTime', 'ModificationTime',
                     'TransferCompletionTime', 'Error', 'ErrorCount', 'NextRetryTime', 'StatusText'],
                    None),
    **dict.fromkeys(['DisplayName', 'Description', 'Priority', 'MinimumRetryDelay', 'NoProgressTimeout',
                     'MaximumDownloadTime', 'NotifyFiles', 'NotifyInterval', 'NotifyApplication',
                     'TransferPolicy', 'RunWhen', 'DynamicContent', 'HighPerformance', 'OnDemand',
                     'MaximumSize', 'MaximumRate', 'Segments', 'Method', 'Proxy', 'TlsFlags',
                     'PinnedKeys', 'RedirectPolicy', 'AllowDowngrade', 'UploadProtocol',
                     'AutoComplete'], owner()),
    **dict.fromkeys(['Headers', 'HeadersWriteOnly', 'ClientCertificate', 'ReplyFileName'], owner_only()),
}

MANAGER_PROPERTIES = ['Version', 'Features', 'JobCount', 'RunningJobs', 'BytesPerSecond', 'Online',
                      'Metered', 'BandwidthLimit', 'MaxJobsPerUser', 'MaxJobsPerMachine',
                      'MaxFilesPerJob', 'MaxRangesPerFile', 'JobInactivityTimeout',
                      'MaximumDownloadTime']
COUNTS = ['JobCount', 'RunningJobs', 'BytesPerSecond']


class AccessCase(SystemCase):
    """alice, who owns jobs; bob, who does not; carol, whom polkit lets do everything."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with contextlib.suppress(KeyError):
            pwd.getpwnam('carol')
            return
        subprocess.run(['useradd', '--create-home', 'carol'], check=True)

    def setUp(self):
        super().setUp()
        self.allow('carol')
        self.clients = {
            'owner': self.client, 'other': self.world.client('bob'),
            'administrator': self.world.client('carol'), 'root': self.world.client(),
            'nobody': self.world.client('nobody')}
        self.wait_for_rules('administrator', True)

    def tearDown(self):
        self.allow()
        super().tearDown()

    def allow(self, *users):
        """What the rules of polkit are from now on."""
        conditions = ' || '.join(f'subject.user == "{user}"' for user in users) or 'false'
        with open(RULES + '.new', 'w', encoding='utf-8') as file:
            file.write(f'polkit.addRule(function(action, subject) {{\n'
                       f'  if (action.id.indexOf("{PART_OF_ACTIONS}") == 0 && ({conditions}))\n'
                       f'    return polkit.Result.YES;\n}});\n')
        os.chmod(RULES + '.new', 0o644)
        os.rename(RULES + '.new', RULES)

    def wait_for_rules(self, role, allowed):
        """polkit reads its rules some time after they have changed."""
        def look():
            try:
                self.clients[role].list_jobs(all_users=True, limit=1)
            except DBusError:
                return not allowed
            return allowed
        wait_for(look, 'polkit to read its rules')

    def outcome(self, call, *arguments):
        try:
            call(*arguments)
        except DBusError as error:
            return error.short
        return OK

    def shared(self):
        """A directory in which everybody may do what they like with each other's files."""
        path = self.world.target('shared')
        os.makedirs(path, exist_ok=True)
        os.chmod(path, 0o777)
        return path


class Members(AccessCase):
    def job_methods(self):
        """{method: (signature, arguments, outcomes)}"""
        here = self.place('new')
        url = self.server.url('/a')
        return {
            'AddFile': ('(ssa{sv})', (url, here, {}), owner_only()),
            'AddFiles': ('(a(ssa{sv}))', ([(url, here, {})],), owner_only()),
            'AddFileFd': ('(shsa{sv})', (url, 0, 'new', {}), owner_only('InvalidArgs')),
            'AddFilesAt': ('(ha(ssa{sv}))', (0, [(url, 'new', {})]), owner_only('InvalidArgs')),
            'AttachDirectory': ('(uh)', (0, 0), owner_only('InvalidArgs')),
            'Suspend': ('()', (), owner()),
            'Resume': ('()', (), owner()),
            'Complete': ('(a{sv})', ({},), owner()),
            'Cancel': ('(a{sv})', ({},), owner()),
            'ListFiles': ('(uu)', (0, 0), owner()),
            'GetEvents': ('(u)', (0,), owner()),
            'GetResponseHeaders': ('(u)', (0,), owner('NotSupported')),
            'SetRemoteName': ('(us)', (0, self.server.url('/b')), owner()),
            'ReplaceRemotePrefix': ('(ss)', ('http://', 'http://'), owner()),
            'SetValidationState': ('(ub)', (0, True), owner('InvalidState')),
            'RequestRanges': ('(ua(tt))', (0, []), owner('NotSupported')),
            'GetFilledRanges': ('(u)', (0,), owner('NotSupported')),
            'OpenTemporary': ('(u)', (0,), owner_only('FileMissing')),
            'SetProperties': ('(a{sv})', (dictionary({'DisplayName': 'other'}),), owner()),
            'GetReplyData': ('()', (), owner_only('NotSupported')),
            'OpenReply': ('()', (), owner_only('NotSupported')),
            'SetCredentials': ('(ssssa{sv})', ('server', 'basic', 'user', 'password', {}), owner_only()),
            'RemoveCredentials': ('(ss)', ('server', 'basic'), owner_only()),
            'TakeOwnership': ('(a{sv})', ({},), {**owner(), 'owner': ASK}),
            'Explain': ('()', (), owner()),
        }

    def manager_methods(self, job):
        """[(method, signature, arguments, outcomes)], some methods with several arguments."""
        everybody = dictionary({'all-users': True})
        return [
            ('CreateJob', '(ssa{sv})', ('name', 'download', {}), public()),
            ('GetJob', '(s)', (job.id,), owner()),
            ('GetJob', '(s)', ('0' * 32,), {**public(UNKNOWN)}),
            ('ListJobs', '(a{sv})', ({},), public()),
            ('ListJobs', '(a{sv})', (everybody,), administrators()),
            ('CompleteJobs', '(aoa{sv})', ([], {}), public()),
            ('CancelJobs', '(aoa{sv})', ([], {}), public()),
            ('SuspendAll', '(a{sv})', ({},), public()),
            ('SuspendAll', '(a{sv})', (everybody,), administrators()),
            ('ResumeAll', '(a{sv})', ({},), public()),
            ('ResumeAll', '(a{sv})', (everybody,), administrators()),
            ('Subscribe', '(a{sv})', ({},), public()),
            ('Subscribe', '(a{sv})', (everybody,), administrators()),
            ('Unsubscribe', '()', (), public(nameless=OK)),
            ('GetJobHistory', '(a{sv})', ({},), public()),
            ('DescribeError', '(ss)', (NAME + '.Error.NotFound', ''), public(nameless=OK)),
            ('Reload', '()', (), {**administrators(), 'nameless': None}),
        ]

    def client_of(self, role):
        """Of the one that has no name there is a connection for each call: it is refused as one."""
        if role != 'nameless':
            return self.clients[role]
        # the bus wants to know who somebody is, so that it is somebody for that moment
        with open('/etc/passwd', encoding='utf-8') as file:
            users = file.read()
        try:
            with open('/etc/passwd', 'a', encoding='utf-8') as file:
                file.write(f'nameless:x:{NAMELESS}:{NAMELESS}::/:/bin/false\n')
            client = Client(self.world.address, NAMELESS)
        finally:
            with open('/etc/passwd', 'w', encoding='utf-8') as file:
                file.write(users)
        self.addCleanup(client.close)
        return client

    def members(self):
        """{interface: ({methods}, {property: access})} of the description."""
        return {one.get('name'): ({method.get('name') for method in one.iter('method')},
                                  {each.get('name'): each.get('access') for each in one.iter('property')})
                for one in ElementTree.parse(INTERFACE).getroot().iter('interface')}

    def create(self):
        """A job that has a file and was never started."""
        return self.client.create([(self.server.url('/a'), self.place('a'))])

    def test_methods_of_a_job(self):
        methods, _ = self.members()[JOB]
        table = self.job_methods()
        self.assertEqual(methods - set(table), set(), 'methods without an expectation')
        for method in sorted(methods):
            signature, arguments, expected = table[method]
            for role in ROLES:
                with self.subTest(f'{method} as {role}'):
                    job = self.create()
                    got = self.outcome(job.seen_by(self.client_of(role)).call, method, signature,
                                       *arguments)
                    self.outcome(self.clients['root'].call, job.path, JOB, 'Cancel',
                                 GLib.Variant('(a{sv})', ({},)))
                    self.assertEqual(got, expected[role])

    def test_methods_of_the_manager(self):
        methods, _ = self.members()[MANAGER]
        job = self.create()
        table = self.manager_methods(job)
        self.assertEqual(methods, {row[0] for row in table})
        for method, signature, arguments, expected in table:
            for role in ROLES:
                with self.subTest(f'{method}{arguments} as {role}'):
                    got = self.outcome(self.client_of(role).manager, method, signature, *arguments)
                    if expected[role] is None:
                        self.assertIn(got, (ASK, DENIED))
                    else:
                        self.assertEqual(got, expected[role])

    def test_bulk_methods(self):
        """Each row of the answer is as the call on the job would be."""
        for method in 'CancelJobs', 'CompleteJobs':
            for role in ROLES[:-1]:
                with self.subTest(f'{method} as {role}'):
                    job = self.create()
                    unknown = f'{MANAGER_PATH}/jobs/{"0" * 32}'
                    rows = self.clients[role].manager(method, '(aoa{sv})', [job.path, unknown], {})[0]
                    got = [row[2].rpartition('.')[2] or OK for row in rows]
                    self.assertEqual(got, [owner()[role], UNKNOWN])
                    self.outcome(job.cancel)

    def test_properties_of_a_job(self):
        _, properties = self.members()[JOB]
        self.assertEqual(set(properties), set(JOB_PROPERTIES), 'properties without an expectation')
        job = self.create()
        for name, access in properties.items():
            value = self.client.connection.call_sync(
                NAME, job.path, PROPERTIES, 'Get', GLib.Variant('(ss)', (JOB, name)), None, 0, -1,
                None).get_child_value(0).get_variant()
            for role in ROLES:
                client = self.client_of(role)
                with self.subTest(f'{name} as {role}'):
                    self.assertEqual(self.outcome(job.seen_by(client).get, name), owner()[role])
                    got = self.outcome(client.call, job.path, PROPERTIES, 'Set',
                                       GLib.Variant('(ssv)', (JOB, name, value)))
                    if access == 'read':
                        self.assertEqual(got, 'InvalidArgs')
                    else:
                        self.assertEqual(got, JOB_PROPERTIES[name][role])
                    if access == 'read':
                        continue
                    changes = GLib.Variant('(a{sv})', ({name: value},))
                    self.assertEqual(self.outcome(client.call, job.path, JOB, 'SetProperties', changes),
                                     JOB_PROPERTIES[name][role])
        for role in ROLES:
            with self.subTest(f'GetAll as {role}'):
                self.assertEqual(self.outcome(job.seen_by(self.client_of(role)).get_all), owner()[role])

    def test_properties_of_the_manager(self):
        _, properties = self.members()[MANAGER]
        self.assertEqual(set(properties), set(MANAGER_PROPERTIES), 'properties without an expectation')
        for name in properties:
            for role in ROLES:
                with self.subTest(f'{name} as {role}'):
                    expected = public(nameless=DENIED if name in COUNTS else OK)
                    client = self.client_of(role)
                    self.assertEqual(self.outcome(client.manager_property, name), expected[role])

    def test_introspection_lists_no_jobs(self):
        job = self.create()
        for role in 'owner', 'other', 'root':
            client = self.clients[role]
            for path in MANAGER_PATH, MANAGER_PATH + '/jobs':
                text = client.call(path, 'org.freedesktop.DBus.Introspectable', 'Introspect')[0]
                self.assertNotIn(job.id, text)
            seen = [client.call(f'{MANAGER_PATH}/jobs/{one}', 'org.freedesktop.DBus.Introspectable',
                                'Introspect')[0] for one in (job.id, '0' * 32)]
            self.assertEqual(seen[0], seen[1])


class Others(Members):
    """What two users can do to each other."""

    for inherited in [name for name in dir(Members) if name.startswith('test_')]:
        locals()[inherited] = None
    del inherited

    def answers(self, client, path, interface, method, arguments):
        """All that the caller is told."""
        try:
            return client.call(path, interface, method, arguments)
        except DBusError as error:
            return error.name, error.message

    def calls(self, victim):
        """Every call that can be made on a job: (interface, method, arguments)."""
        for method, (signature, arguments, _) in self.job_methods().items():
            if method in self.members()[JOB][0]:
                yield JOB, method, GLib.Variant(signature, arguments)
        yield PROPERTIES, 'GetAll', GLib.Variant('(s)', (JOB,))
        for name, access in self.members()[JOB][1].items():
            yield PROPERTIES, 'Get', GLib.Variant('(ss)', (JOB, name))
            if access == 'readwrite':
                value = victim.connection.call_sync(
                    NAME, self.job.path, PROPERTIES, 'Get', GLib.Variant('(ss)', (JOB, name)), None, 0, -1,
                    None).get_child_value(0).get_variant()
                yield PROPERTIES, 'Set', GLib.Variant('(ssv)', (JOB, name, value))

    def attack(self, attacker, victim):
        self.job = Job(victim, victim.create([(self.server.url('/a'), self.place(
            'a', 'alice' if victim is self.client else 'bob'))], name='secret',
            Headers=[('X-Secret', 'secret')]).path)
        unknown = f'{MANAGER_PATH}/jobs/{"0" * 32}'
        before = self.job.get_all()
        for interface, method, arguments in self.calls(victim):
            with self.subTest(f'{method} {arguments}'):
                theirs = self.answers(attacker, self.job.path, interface, method, arguments)
                self.assertEqual(theirs, self.answers(attacker, unknown, interface, method, arguments))
        self.assertEqual(self.job.get_all(), before)
        self.assertEqual(len(self.job.files()), 1)

    def test_alice_and_bob(self):
        bob = self.clients['other']
        self.attack(bob, self.client)
        self.attack(self.client, bob)
        for client in self.client, bob:
            client.flush()
            heard = [one for one in client.signals if one.name == 'PropertiesChanged']
            self.assertNotIn('secret', str(heard))

    def test_administrators_read_no_headers(self):
        job = self.client.create(name='a', Headers=[('X-Secret', 'secret')])
        self.assertEqual(job.get('Headers'), [('X-Secret', 'secret')])
        for role in 'administrator', 'root':
            client = self.clients[role]
            theirs = job.seen_by(client)
            rows = client.list_jobs(all_users=True, properties=['Headers', 'OwnerName'])
            self.assertEqual((theirs.get('Headers'), theirs.get_all()['Headers']), ([], []))
            self.assertEqual([row for path, row in rows if path == job.path],
                             [{'Headers': [], 'OwnerName': 'alice'}])

    def test_all_users(self):
        """An administrator sees and stops everybody's jobs; the same calls of others touch their own."""
        bob, carol = self.clients['other'], self.clients['administrator']
        jobs = [client.create([(self.server.url('/a'), self.place('a', user))], start=True)
                for client, user in ((self.client, 'alice'), (bob, 'bob'))]
        for client, number in (self.client, 1), (bob, 1), (carol, 0):
            self.assertEqual(len(client.list_jobs()), number)
        self.assertLessEqual({job.path for job in jobs},
                             {path for path, _ in carol.list_jobs(all_users=True)})
        for job in jobs:
            job.wait('transferred', 'error')
        others = [client.create([(self.server.add('/wait', MIB, script=Forever(Answer(stall=1))) and
                                  self.server.url('/wait'), self.place('b', user))], start=True)
                  for client, user in ((self.client, 'alice'), (bob, 'bob'))]
        carol.manager('SuspendAll', '(a{sv})', dictionary({'all-users': False}))
        self.assertNotIn('suspended', [job.state for job in others])
        carol.manager('SuspendAll', '(a{sv})', dictionary({'all-users': True}))
        self.assertEqual([job.state for job in others], ['suspended', 'suspended'])
        carol.manager('ResumeAll', '(a{sv})', dictionary({'all-users': True}))
        self.assertNotIn('suspended', [job.state for job in others])

    def test_subscription_ends_with_the_authorisation(self):
        carol = self.clients['administrator']
        job = self.client.create(name='a')
        carol.manager('Subscribe', '(a{sv})', dictionary({'all-users': True}))
        job.seen_by(carol).get_all()
        job.set(DisplayName='b')
        carol.expect('PropertiesChanged', job.path)
        self.allow()
        self.wait_for_rules('administrator', False)
        # asked again when polkit told of the change: this answer comes after that one
        self.assert_error('NotFound', job.seen_by(carol).get, 'State')
        carol.signals.clear()
        job.set(DisplayName='c')
        carol.flush()
        self.assertEqual(carol.named('PropertiesChanged', job.path), [])


class Silence(AccessCase):
    def test_polkit_hangs(self):
        """Then nobody is an administrator but root, and everybody goes on with their own."""
        self.world.write_config({'AuthorizationTimeout': '1s'})
        self.clients['root'].manager('Reload')
        job = self.client.create([(self.server.url('/a'), self.place('a'))])
        polkit, = [int(pid) for pid in os.listdir('/proc') if pid.isdigit() and executable(pid) == 'polkitd']
        os.kill(polkit, signal.SIGSTOP)
        self.addCleanup(os.kill, polkit, signal.SIGCONT)
        unknown = Job(self.client, f'{MANAGER_PATH}/jobs/{"0" * 32}')
        for role in 'other', 'administrator':
            client = self.clients[role]
            pending = [one.seen_by(client).send('Suspend') for one in (job, unknown)]
            self.assertEqual(job.state, 'suspended')
            told = []
            for one in pending:
                with self.assertRaises(DBusError) as caught:
                    one.result()
                told.append((caught.exception.short, caught.exception.message))
            self.assertEqual(told[0], told[1])
            self.assertEqual(told[0][0], UNKNOWN)
            self.assert_error('AccessDenied', client.list_jobs, all_users=True)
        self.assertEqual(job.seen_by(self.clients['root']).state, 'suspended')
        self.assertEqual(job.cancel()[0], 'cancelled')


class Takeover(AccessCase):
    def test_suspended(self):
        """What nobody has begun is anybody's that may have it; nothing secret comes along."""
        carol = self.clients['administrator']
        job = self.client.create([(self.server.url('/a'), self.shared() + '/a')], name='a',
                                 Headers=[('X-Secret', 'x')], HeadersWriteOnly=True, NotifyFiles=True,
                                 NotifyInterval=3_000_000, NotifyApplication='org.example.App')
        job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'u', 'p', {})
        self.client.manager('Subscribe', '(a{sv})', {})
        carol.manager('Subscribe', '(a{sv})', {})
        theirs = job.seen_by(carol)
        theirs.call('TakeOwnership', '(a{sv})', {})
        self.assertEqual((theirs.get('OwnerName'), theirs.get('OwnerUID')),
                         ('carol', pwd.getpwnam('carol').pw_uid))
        self.assertEqual((theirs.get('Headers'), theirs.get('HeadersWriteOnly'),
                          theirs.get('NotifyFiles'), theirs.get('NotifyInterval'),
                          theirs.get('NotifyApplication'), theirs.get('DisplayName')),
                         ([], False, False, 500_000, '', 'a'))
        self.assertFalse(theirs.call('RemoveCredentials', '(ss)', 'server', 'basic')[0])
        self.assert_error('NotFound', job.get, 'State')
        self.assertEqual((self.client.list_jobs(), len(carol.list_jobs())), ([], 1))
        self.client.flush()
        self.client.signals.clear()
        carol.signals.clear()
        theirs.set(DisplayName='b')
        carol.expect('PropertiesChanged', job.path)
        self.client.flush()
        self.assertEqual(self.client.signals, [])

    def test_running(self):
        """In the middle of a file: nothing that has arrived comes a second time, and all of it is the
        new owner's in the end."""
        carol = self.clients['administrator']
        size = 2 * MIB
        file = self.server.add('/a', size, script=[Answer(stall=MIB)])
        path = self.shared() + '/a'
        job = self.client.create([(self.server.url('/a'), path, {'umask': 0})], start=True)
        wait_for(file.stalled.is_set, 'the answer')
        wait_for(lambda: job.get('BytesTransferred') > 0, 'bytes')
        theirs = job.seen_by(carol)
        theirs.call('TakeOwnership', '(a{sv})', {})
        self.assertEqual(theirs.state, 'suspended')
        part, = wait_for(lambda: len(temporaries(self.shared())) == 1 and temporaries(self.shared()),
                         'the copy to be all there is')
        self.assertEqual(os.stat(os.path.join(self.shared(), part)).st_uid,
                         pwd.getpwnam('carol').pw_uid)
        self.assertIn('owner-changed', theirs.events())
        theirs.resume()
        theirs.wait('transferred')
        self.assertEqual(theirs.complete()[0], 'completed')
        self.assert_file(path, file)
        self.assertEqual(os.stat(path).st_uid, pwd.getpwnam('carol').pw_uid)
        self.assertEqual(temporaries(self.shared()), [])
        self.assertTrue(self.server.ranges('/a')[-1])

    def test_refused(self):
        """alice's own files are not for carol, nor for root, who has no more rights than that."""
        size = 2 * MIB
        for role in 'administrator', 'root':
            with self.subTest(role):
                file = self.server.add('/' + role, size, script=[Answer(stall=MIB)])
                path = self.place(role)
                job = self.client.create([(self.server.url('/' + role), path)], start=True)
                wait_for(file.stalled.is_set, 'the answer')
                wait_for(lambda: temporaries(self.places['alice']), 'the temporary')
                theirs = job.seen_by(self.clients[role])
                self.assert_error('FileAccessDenied', theirs.call, 'TakeOwnership', '(a{sv})', {})
                self.assertEqual(job.get('OwnerName'), 'alice')
                job.wait('transferred')
                job.complete()
                self.assert_file(path, file)
                self.assertEqual(os.stat(path).st_uid, pwd.getpwnam('alice').pw_uid)
                self.assertEqual(temporaries(self.places['alice']), [])

    def test_upload(self):
        """What is sent must be there to be read."""
        carol = self.clients['administrator']
        for name, mode, expected in ('secret', 0o600, 'FileAccessDenied'), ('open', 0o644, OK):
            with self.subTest(name):
                path = self.place(name)
                with open(path, 'w', encoding='utf-8') as file:
                    file.write('x')
                os.chown(path, pwd.getpwnam('alice').pw_uid, -1)
                os.chmod(path, mode)
                job = self.client.create([(self.server.url('/up'), path)], job_type='upload')
                theirs = job.seen_by(carol)
                self.assertEqual(self.outcome(theirs.call, 'TakeOwnership', '(a{sv})', {}), expected)

    def test_limits(self):
        """It counts as one of the new owner's."""
        carol, bob = self.clients['administrator'], self.clients['other']
        self.world.write_config({'MaxJobsPerUser': 1})
        self.clients['root'].manager('Reload')
        self.allow()
        self.wait_for_rules('administrator', False)
        # may take jobs over, but not exceed the limits
        with open(RULES, 'w', encoding='utf-8') as file:
            file.write('polkit.addRule(function(action, subject) {\n'
                       '  if (subject.user == "carol" && (action.id.indexOf("manage-other-jobs") > 0 ||\n'
                       '      action.id.indexOf("take-ownership") > 0)) return polkit.Result.YES;\n});\n')
        self.wait_for_rules('administrator', True)
        first, second = self.client.create(name='a'), bob.create(name='b')
        first.seen_by(carol).call('TakeOwnership', '(a{sv})', {})
        self.client.create(name='c')
        self.assert_error('TooManyJobsPerUser', second.seen_by(carol).call, 'TakeOwnership', '(a{sv})', {})
        self.assertEqual(second.get('OwnerName'), 'bob')
        # who may exceed them may do so here, too
        self.allow('carol')
        wait_for(lambda: self.outcome(second.seen_by(carol).call, 'TakeOwnership', '(a{sv})', {}) == OK,
                 'polkit to allow more')
        self.assertEqual(len(carol.list_jobs()), 2)

    def test_killed_in_the_middle(self):
        """Whenever the service dies, the job is the one's or the other's, and whole."""
        generator = random.Random(1)
        for number in range(6):
            with self.subTest(number):
                name = f'/k{number}'
                file = self.server.add(name, 2 * MIB, script=[Answer(stall=MIB)])
                path = self.shared() + name
                job = self.client.create([(self.server.url(name), path, {'umask': 0})], start=True)
                wait_for(file.stalled.is_set, 'the answer')
                wait_for(lambda: job.get('BytesTransferred') > 0, 'bytes')
                job.seen_by(self.clients['administrator']).send('TakeOwnership', '(a{sv})', {})
                self.clients['administrator'].connection.flush_sync(None)
                # no event tells where the service is just now
                stays(lambda: True, generator.uniform(0, 0.06))
                self.world.restart()
                seen = job.seen_by(self.clients['root'])
                name = seen.get('OwnerName')
                self.assertIn(name, ('alice', 'carol'))
                client = self.clients['owner' if name == 'alice' else 'administrator']
                mine = job.seen_by(client)
                mine.hurry()
                mine.wait('transferred')
                self.assertEqual(mine.complete()[0], 'completed')
                self.assert_file(path, file)
                self.assertEqual(os.stat(path).st_uid, pwd.getpwnam(name).pw_uid)
                wait_for(lambda: not temporaries(self.shared()), lambda: f'{temporaries(self.shared())} to go', 20)


class Tools(AccessCase):
    def transferctl(self, user, *arguments, status=0):
        """What it prints as `user`."""
        result = subprocess.run(['setpriv', '--reuid', user, '--regid', user, '--init-groups', 'transferctl',
                                 *arguments], capture_output=True, text=True, check=False, cwd='/',
                                stdin=subprocess.DEVNULL)
        self.assertEqual(result.returncode, status, result.stderr)
        return result.stdout if status == 0 else result.stderr

    def test_verbs(self):
        """An administrator finds, stops, and takes over what others have."""
        self.server.add('/a', MIB)
        job = self.client.create([(self.server.url('/a'), self.shared() + '/a')], name='theirs')
        rows = json.loads(self.transferctl('carol', '--json', 'list', '--all-users'))
        self.assertIn(('alice', 'theirs'), [(row['owner'], row['name']) for row in rows])
        self.assertIn('OWNER', self.transferctl('carol', 'list', '-a'))
        self.assertEqual(json.loads(self.transferctl('carol', '--json', 'list')), [])
        self.assertIn('DisplayName=theirs', self.transferctl('carol', 'show', '-a', 'theirs'))
        self.transferctl('carol', 'resume', '-a', 'theirs')
        job.wait('transferred')
        self.transferctl('carol', 'suspend', 'theirs', status=1)
        self.transferctl('bob', 'take-ownership', 'theirs', status=1)
        self.assertIn('no such job', self.transferctl('bob', 'show', job.id, status=1))
        self.transferctl('carol', 'take-ownership', job.id, status=1)
        self.assertEqual(job.get('OwnerName'), 'alice')
        other = self.client.create(name='empty')
        self.transferctl('carol', 'take-ownership', 'empty')
        self.assert_error('NotFound', other.get, 'State')
        self.transferctl('carol', 'cancel', 'empty')


class Gone(AccessCase):
    """A user id that is given to somebody else."""

    UID = 5555

    def setUp(self):
        super().setUp()
        self.add('dave')
        self.addCleanup(self.remove)

    def add(self, name):
        subprocess.run(['useradd', '--no-create-home', '--uid', str(self.UID), name], check=True)

    def remove(self):
        with contextlib.suppress(KeyError):
            subprocess.run(['userdel', '--force', pwd.getpwuid(self.UID).pw_name], check=True,
                           stderr=subprocess.DEVNULL)

    def connect(self):
        client = Client(self.world.address, self.UID, gid=self.UID)
        self.addCleanup(client.close)
        return client

    def create(self):
        file = self.server.add('/a', 2 * MIB, script=[Answer(stall=MIB)])
        dave = self.connect()
        job = dave.create([(self.server.url('/a'), self.shared() + '/a')], start=True, name='secret')
        job.call('SetCredentials', '(ssssa{sv})', 'server', 'basic', 'u', 'p', {})
        wait_for(file.stalled.is_set, 'the answer')
        return dave, job, file

    def test_another_person(self):
        root = self.clients['root']
        dave, job, file = self.create()
        ended = dave.create(name='ended')
        ended.cancel()
        self.assertEqual(list(dave.history()), [ended.id])
        dave.close()
        self.remove()
        self.add('erin')
        erin = self.connect()
        self.assertEqual((erin.list_jobs(), erin.manager_property('JobCount'), erin.history()),
                         ([], 0, {}))
        unknown = Job(erin, f'{MANAGER_PATH}/jobs/{"0" * 32}')
        for call in (lambda one: one.get_all(), lambda one: one.cancel(), lambda one: one.files()):
            self.assertEqual(self.assert_error('NotFound', call, job.seen_by(erin)),
                             self.assert_error('NotFound', call, unknown))
        seen = job.seen_by(root)
        seen.wait('transient-error')
        self.assertEqual(seen.error, ('OwnerGone', 'queue-manager'))
        self.assertIn(NAME + '.Error.OwnerGone', seen.explain())
        self.assertIn('owner-gone', seen.events())
        self.assertEqual(seen.get('OwnerName'), 'dave')
        # whose it was comes back: it goes on where it was, but for the password
        erin.close()
        self.remove()
        self.add('dave')
        dave = self.connect()
        mine = job.seen_by(dave)
        self.assertFalse(mine.call('RemoveCredentials', '(ss)', 'server', 'basic')[0])
        mine.wait('transferred')
        self.assertEqual(mine.complete()[0], 'completed')
        self.assert_file(self.shared() + '/a', file)

    def test_name_is_asked_again(self):
        """Who creates jobs is not asked about each time, but as soon as it is heard of a change."""
        dave, other = self.connect(), self.connect()
        dave.create(name='first')
        dave.create(name='second')
        self.remove()
        self.assert_error('AccessDenied', other.list_jobs)
        self.assert_error('AccessDenied', lambda: dave.create(name='third'))

    def test_nobody(self):
        """Found out at the start; an administrator may still cancel, and nothing is touched."""
        root = self.clients['root']
        dave, job, _ = self.create()
        wait_for(lambda: temporaries(self.shared()), 'the temporary')
        refused = self.connect()
        dave.close()
        self.remove()
        self.assert_error('AccessDenied', refused.list_jobs)
        seen = job.seen_by(root)
        seen.wait('transient-error')
        self.world.restart()
        self.assertEqual(seen.error, ('OwnerGone', 'queue-manager'))
        left = temporaries(self.shared())
        self.assertEqual(seen.cancel()[0], 'cancelled')
        self.assertEqual(temporaries(self.shared()), left)
        for name in left:
            os.unlink(os.path.join(self.shared(), name))


if __name__ == '__main__':
    tap.main()
