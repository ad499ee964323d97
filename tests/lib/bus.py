# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""D-Bus clients for tests: calls, pipelined calls, a log of all signals, and waiting without sleeping."""
import dataclasses
import os
import time

import gi

gi.require_version('Gio', '2.0')
from gi.repository import Gio, GLib  # noqa: E402
from standin import StandIn, bus_path  # noqa: E402
from tap import PATIENCE  # noqa: E402

NAME = 'org.transferd.Transfer1'
MANAGER_PATH = '/org/transferd/Transfer1'
MANAGER = NAME + '.Manager'
JOB = NAME + '.Job'
ERROR = NAME + '.Error.'
STANDARD = 'org.freedesktop.DBus.Error.'
PROPERTIES = 'org.freedesktop.DBus.Properties'
UNKNOWN = (1 << 64) - 1
SECOND = 1_000_000

# The types of the keys that tests put into dictionaries.
KEY_TYPES = {
    'files': 'a(ssa{sv})', 'start': 'b', 'require-all': 'b', 'overwrite': 's', 'all-users': 'b',
    'states': 'as', 'display-name': 's', 'properties': 'as', 'limit': 'u', 'after': 'o',
    'ids': 'as', 'since': 't', 'mode': 'u', 'umask': 'u', 'size': 't', 'digest': 's', 'path': 'ay',
    'DisplayName': 's', 'Description': 's', 'Priority': 's', 'MinimumRetryDelay': 't',
    'NoProgressTimeout': 't', 'MaximumDownloadTime': 't', 'NotifyFiles': 'b', 'NotifyInterval': 't',
    'DynamicContent': 'b', 'HighPerformance': 'b', 'MaximumSize': 't', 'MaximumRate': 't',
    'Segments': 'u', 'RedirectPolicy': 's', 'AllowDowngrade': 'b', 'AutoComplete': 'b',
    'Headers': 'a(ss)', 'HeadersWriteOnly': 'b', 'UploadProtocol': 's', 'ReplyFileName': 's',
    'Method': 's', 'ranges': 'a(tt)', 'TransferPolicy': 's', 'RunWhen': 's', 'NotifyApplication': 's',
    'ClientCertificate': 's',
}


class DBusError(Exception):
    """An error that a method answered: `name` is the full name."""

    def __init__(self, error):
        self.name = Gio.DBusError.get_remote_error(error) or f'local:{error.domain}:{error.code}'
        self.message = error.message.removeprefix(f'GDBus.Error:{self.name}: ')
        super().__init__(f'{self.name}: {self.message}')

    @property
    def short(self):
        return self.name.rpartition('.')[2]


@dataclasses.dataclass
class Signal:
    """One signal as it arrived."""

    name: str
    path: str
    args: tuple
    time: float

    def __str__(self):
        return f'{self.name} {self.path.rpartition("/")[2]} {self.args}'


def dictionary(values):
    """An a{sv} as GLib.Variant wants it, the types by KEY_TYPES; variants are taken as they are."""
    result = {}
    for key, value in values.items():
        if not isinstance(value, GLib.Variant):
            value = GLib.Variant(KEY_TYPES[key], value)
        result[key] = value
    return result


def file_rows(files):
    """The rows of an a(ssa{sv}) from (url, path) or (url, path, options)."""
    return [(row[0], row[1], dictionary(row[2] if len(row) > 2 else {})) for row in files]


# Seconds. Long, because a machine that is busy with others is no mistake of the service, and
# because a deadline costs nothing where things work.
DEADLINE = 120 * PATIENCE


def turn():
    """One turn of the main loop, of a moment at most."""
    context = GLib.MainContext.default()
    # Conditions outside the bus (a file, a process, the HTTP server) tell nobody: look again.
    tick = GLib.timeout_source_new(15)
    tick.set_callback(lambda *_: GLib.SOURCE_REMOVE)
    tick.attach(context)
    context.iteration(True)
    tick.destroy()


def wait_for(condition, what, deadline=DEADLINE):
    """Runs the main loop until `condition` holds; its value. Fails when the deadline has passed."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'waited {deadline} s in vain for {what() if callable(what) else what}')
        turn()


def stays(condition, seconds):
    """Runs the main loop for some seconds; whether `condition` held all the time."""
    end = time.monotonic() + seconds
    while condition():
        if time.monotonic() > end:
            return True
        turn()
    return False


class Pending:
    """A call whose answer is on its way."""

    def __init__(self):
        self.done = False
        self.value = None
        self.error = None
        self.number = 0  # position in the order of answers

    def finish(self, connection, result, client):
        self.done = True
        client.answered += 1
        self.number = client.answered
        try:
            self.value = connection.call_finish(result).unpack()
        except GLib.Error as error:
            self.error = DBusError(error)

    def result(self, deadline=DEADLINE):
        """Waits for the answer: its values, or its error raised."""
        wait_for(lambda: self.done, 'the answer of a call', deadline)
        if self.error:
            raise self.error
        return self.value


class Client:
    """A connection to the bus of its own, with a log of the signals it receives: of a process of
    user `uid`, in which see StandIn."""

    def __init__(self, address, uid=None, **standing):
        self.call_flags = Gio.DBusCallFlags.NO_AUTO_START
        self.answered = 0
        self.signals = []
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                 | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.stand_in = StandIn(bus_path(address), uid, **standing) if uid else None
        if self.stand_in:
            # what it says of itself must be what the bus knows: for a moment
            os.setresuid(uid, uid, 0)
            try:
                stream = Gio.Socket.new_from_fd(self.stand_in.fd).connection_factory_create_connection()
                self.connection = Gio.DBusConnection.new_sync(stream, None, flags, None, None)
            finally:
                os.setresuid(0, 0, 0)
        else:
            self.connection = Gio.DBusConnection.new_for_address_sync(address, flags, None, None)
        self.connection.signal_subscribe(NAME, None, None, None, None, Gio.DBusSignalFlags.NONE,
                                         self.on_signal)

    def on_signal(self, _connection, _sender, path, _interface, name, arguments):
        self.signals.append(Signal(name, path, arguments.unpack(), time.monotonic()))

    def close(self):
        if not self.connection.is_closed():
            self.connection.close_sync(None)
        if self.stand_in:
            self.stand_in.end()

    def call(self, path, interface, method, arguments=None, deadline=DEADLINE):
        """Calls and waits; the tuple of values. Raises DBusError."""
        try:
            reply = self.connection.call_sync(NAME, path, interface, method, arguments, None,
                                              self.call_flags, int(deadline * 1000), None)
        except GLib.Error as error:
            raise DBusError(error) from None
        return reply.unpack()

    def call_with_fd(self, path, interface, method, arguments, descriptor, deadline=DEADLINE):
        """As call (), with a descriptor, which is handle 0; -1 = none."""
        fds = Gio.UnixFDList.new()
        if descriptor >= 0:
            fds.append(descriptor)
        try:
            reply, _ = self.connection.call_with_unix_fd_list_sync(
                NAME, path, interface, method, arguments, None, self.call_flags,
                int(deadline * 1000), fds, None)
        except GLib.Error as error:
            raise DBusError(error) from None
        return reply.unpack()

    def send(self, path, interface, method, arguments=None, deadline=DEADLINE + 5):
        """Calls without waiting."""
        pending = Pending()
        self.connection.call(NAME, path, interface, method, arguments, None,
                             self.call_flags, int(deadline * 1000), None,
                             lambda connection, result: pending.finish(connection, result, self))
        return pending

    def manager(self, method, signature='()', *values):
        return self.call(MANAGER_PATH, MANAGER, method, GLib.Variant(signature, values))

    def manager_property(self, name):
        return self.call(MANAGER_PATH, PROPERTIES, 'Get', GLib.Variant('(ss)', (MANAGER, name)))[0]

    def history(self, **filters):
        """{id: row} of GetJobHistory."""
        if 'files' in filters:  # elsewhere the key of another type
            filters['files'] = GLib.Variant('b', filters['files'])
        if 'after' in filters:
            filters['after'] = GLib.Variant('s', filters['after'])
        return dict(self.manager('GetJobHistory', '(a{sv})', dictionary(filters))[0])

    def list_jobs(self, **filters):
        filters = {key.replace('_', '-'): value for key, value in filters.items()}
        return self.manager('ListJobs', '(a{sv})', dictionary(filters))[0]

    def create(self, files=(), name='test', job_type='download', **options):
        """CreateJob; `files` are (url, path[, options]). A Job."""
        return Job(self, self.manager('CreateJob', '(ssa{sv})', name, job_type,
                                      creation_options(files, options))[0])

    def send_create(self, files=(), name='test', **options):
        """The same, without waiting for the reply."""
        return self.send(MANAGER_PATH, MANAGER, 'CreateJob', GLib.Variant(
            '(ssa{sv})', (name, 'download', creation_options(files, options))))

    def flush(self):
        """Everything that was sent to this connection before now is in the log afterwards."""
        reply = self.connection.call_sync('org.freedesktop.DBus', '/org/freedesktop/DBus',
                                          'org.freedesktop.DBus', 'GetId', None, None,
                                          Gio.DBusCallFlags.NONE, int(DEADLINE * 1000), None)
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)
        return reply

    def named(self, name, path=None):
        """The signals of this name in the log."""
        return [one for one in self.signals if one.name == name and path in (None, one.path)]

    def expect(self, name, path=None, deadline=DEADLINE):
        """Waits for a signal and takes it, and all before it, out of the log."""
        def look():
            for position, one in enumerate(self.signals):
                if one.name == name and path in (None, one.path):
                    del self.signals[:position + 1]
                    return one
            return None
        return wait_for(look, lambda: f'signal {name} of {path}; there were {self.signals}', deadline)


def creation_options(files, options):
    options = dict(options)
    # So that no state of a test ends while it looks; job.hurry () goes on.
    options.setdefault('MinimumRetryDelay', 600 * SECOND)
    if files:
        options['files'] = GLib.Variant('a(ssa{sv})', file_rows(files))
    return dictionary(options)


class Job:
    """A job as one client sees it."""

    def __init__(self, client, path):
        self.client = client
        self.path = path
        self.id = path.rpartition('/')[2]

    def seen_by(self, client):
        return Job(client, self.path)

    def call(self, method, signature='()', *values):
        return self.client.call(self.path, JOB, method, GLib.Variant(signature, values))

    def send(self, method, signature='()', *values):
        return self.client.send(self.path, JOB, method, GLib.Variant(signature, values))

    def get(self, name):
        return self.client.call(self.path, PROPERTIES, 'Get', GLib.Variant('(ss)', (JOB, name)))[0]

    def get_all(self):
        return self.client.call(self.path, PROPERTIES, 'GetAll', GLib.Variant('(s)', (JOB,)))[0]

    def set(self, **properties):
        self.call('SetProperties', '(a{sv})', dictionary(properties))

    def set_one(self, name, value):
        self.client.call(self.path, PROPERTIES, 'Set',
                         GLib.Variant('(ssv)', (JOB, name, dictionary({name: value})[name])))

    @property
    def state(self):
        return self.get('State')

    @property
    def error(self):
        """(short name, context) of property Error, or None."""
        error = self.get('Error')
        return (error['name'].rpartition('.')[2], error['context']) if error else None

    def add(self, url, path, /, **options):
        return self.call('AddFile', '(ssa{sv})', url, path, dictionary(options))[0]

    def add_files(self, files):
        return self.call('AddFiles', '(a(ssa{sv}))', file_rows(files))[0]

    def call_with_fd(self, descriptor, method, signature, *values):
        return self.client.call_with_fd(self.path, JOB, method, GLib.Variant(signature, values),
                                        descriptor)[0]

    def add_fd(self, url, descriptor, name, /, **options):
        """AddFileFd with an open descriptor."""
        return self.call_with_fd(descriptor, 'AddFileFd', '(shsa{sv})', url, 0, name,
                                 dictionary(options))

    def add_at(self, descriptor, files):
        """AddFilesAt: `files` are (url, name[, options])."""
        return self.call_with_fd(descriptor, 'AddFilesAt', '(ha(ssa{sv}))', 0, file_rows(files))

    def attach(self, file, descriptor):
        """AttachDirectory."""
        return self.call_with_fd(descriptor, 'AttachDirectory', '(uh)', file, 0)

    def files(self, first=0, count=0):
        return self.call('ListFiles', '(uu)', first, count)[0]

    def file_states(self):
        return [row[5] for row in self.files()]

    def events(self):
        return [kind for _, kind, _ in self.call('GetEvents', '(u)', 0)[0]]

    def explain(self):
        """The codes of Explain."""
        return [condition['code'] for condition in self.call('Explain')[0]]

    def suspend(self):
        self.call('Suspend')

    def resume(self):
        self.call('Resume')

    def complete(self, **options):
        options = {key.replace('_', '-'): value for key, value in options.items()}
        return self.call('Complete', '(a{sv})', dictionary(options))

    def send_complete(self, **options):
        options = {key.replace('_', '-'): value for key, value in options.items()}
        return self.send('Complete', '(a{sv})', dictionary(options))

    def cancel(self):
        return self.call('Cancel', '(a{sv})', {})

    def send_cancel(self):
        return self.send('Cancel', '(a{sv})', {})

    def tombstone(self, **filters):
        """The row of GetJobHistory, or None."""
        return self.client.history(ids=[self.id], **filters).get(self.id)

    def wait(self, *states, deadline=DEADLINE, hurry=False):
        """Waits until the job is in one of `states`; that state. With `hurry` a job that waits for
        its next try is resumed. Fails at once when the job is where it cannot go on by itself."""
        stuck = {'error', 'acknowledged', 'cancelled'} - set(states)
        self.last = None

        def look():
            try:
                self.last = self.state
            except DBusError as error:
                if error.name.startswith(ERROR):
                    raise
                return None  # the daemon is being started again
            if self.last in states:
                return self.last
            if self.last in stuck:
                raise AssertionError(f'job is {self.last} ({self.get("Error")}) instead of {states}')
            if hurry and self.last == 'transient-error':
                self.hurry()
            return None

        def what():
            return f'{states}; the job is {self.last} {self.get("Error")} {self.get("StatusText")}'
        return wait_for(look, what, deadline)

    def hurry(self):
        """Resumes a job that waits for its next try, unless it is transferred by now."""
        try:
            self.resume()
        except DBusError as error:
            if error.short != 'Empty':
                raise
