# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The real polkit of the throw-away machine: rules come and go, it is killed, hangs, is taken away;
and one that takes its place."""
import os
import pwd
import signal

from bus import DEADLINE, Client, Gio, GLib, wait_for
from world import SYSTEM_BUS

NAME = 'org.freedesktop.PolicyKit1'
PATH = '/org/freedesktop/PolicyKit1/Authority'
INTERFACE = NAME + '.Authority'
RULES = '/etc/polkit-1/rules.d'
SERVICE = f'/usr/share/dbus-1/system-services/{NAME}.service'
BUS = 'org.freedesktop.DBus'

# Answers of rules. The first does what its name says to polkit as a whole, for good.
HANGS = 'return 42;'
THROWS = 'nonsense.nonsense();'
STAND_IN = f'''<node><interface name="{INTERFACE}">
  <method name="CheckAuthorization">
    <arg type="(sa{{sv}})" direction="in"/><arg type="s" direction="in"/><arg type="a{{ss}}" direction="in"/>
    <arg type="u" direction="in"/><arg type="s" direction="in"/><arg type="(bba{{ss}})" direction="out"/>
  </method>
  <method name="CancelCheckAuthorization"><arg type="s" direction="in"/></method>
</interface></node>'''


def rule(action, answer):
    """A rule for one of our actions: statements of JavaScript."""
    return (f'polkit.addRule(function (action, subject) {{\n'
            f'    if (action.id == "org.transferd.transfer1.{action}") {{ {answer} }}\n}});\n')


class Polkit:
    """Everything that tests do to polkit; `end` makes it as it was."""

    def __init__(self):
        flags = (Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT
                 | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION)
        self.connection = Gio.DBusConnection.new_for_address_sync(SYSTEM_BUS, flags, None, None)
        self.user = Client(SYSTEM_BUS, pwd.getpwnam('alice').pw_uid)
        self.version = 0  # of the rules
        self.files = set()
        self.away = False
        self.spoiled = False
        self.wake()

    def ask_bus(self, method, arguments=None):
        return self.connection.call_sync(BUS, '/org/freedesktop/DBus', BUS, method, arguments, None,
                                         Gio.DBusCallFlags.NONE, int(DEADLINE * 1000), None).unpack()

    def wake(self):
        """Has the bus start it, unless it runs."""
        self.connection.call_sync(NAME, PATH, 'org.freedesktop.DBus.Peer', 'Ping', None, None,
                                  Gio.DBusCallFlags.NONE, int(DEADLINE * 1000), None)

    def runs(self):
        return self.ask_bus('NameHasOwner', GLib.Variant('(s)', (NAME,)))[0]

    def kill(self):
        pid = self.ask_bus('GetConnectionUnixProcessID', GLib.Variant('(s)', (NAME,)))[0]
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not self.runs(), 'polkit to end')

    def rules(self, text, name='40-test.rules'):
        """Puts a file of rules into its place, and waits until polkit has it."""
        self.version += 1
        path = os.path.join(RULES, name)
        fresh = os.path.join(os.path.dirname(RULES), 'fresh')
        with open(fresh, 'w', encoding='utf-8') as file:
            file.write(f'polkit.addRule(function (action) {{ if (action.lookup("version") == '
                       f'"{self.version}") return polkit.Result.YES; }});\n{text}')
        os.chmod(fresh, 0o644)
        os.rename(fresh, path)
        self.files.add(path)
        wait_for(self.knows, 'polkit to read the rules')

    def knows(self):
        """It goes by the rules of this version."""
        subject = ('system-bus-name',
                   {'name': GLib.Variant('s', self.user.connection.get_unique_name())})
        reply = self.connection.call_sync(
            NAME, PATH, INTERFACE, 'CheckAuthorization', GLib.Variant(
                '((sa{sv})sa{ss}us)', (subject, 'org.transferd.transfer1.reload',
                                       {'version': str(self.version)}, 0, '')),
            None, Gio.DBusCallFlags.NONE, int(DEADLINE * 1000), None)
        return reply.unpack()[0][0]

    def spoil(self, action):
        """From the next question about the action on it hangs for good."""
        self.spoiled = True
        self.rules(rule(action, HANGS))

    def take_away(self):
        """It does not run, and nothing starts it."""
        self.away = True
        os.rename(SERVICE, SERVICE + '.away')
        self.ask_bus('ReloadConfig')
        self.kill()

    def end(self):
        """To be called once more does no harm."""
        if self.connection.is_closed():
            return
        gone = bool(self.files)
        for path in self.files:
            os.unlink(path)
        self.files = set()
        if self.away:
            os.rename(SERVICE + '.away', SERVICE)
            self.ask_bus('ReloadConfig')
        if self.spoiled and self.runs():
            self.kill()
        elif gone and self.runs():
            wait_for(lambda: not self.knows(), 'polkit to forget the rules')
        self.user.close()
        self.connection.close_sync(None)


class StandIn:
    """Takes the place of polkit: says at once what `answers` says about an action ("yes", "no",
    "password"), and asks for a password until the test says what comes of it."""

    POLICY = '/etc/dbus-1/system.d/stand-in.conf'

    def __init__(self, polkit, **answers):
        self.polkit = polkit
        self.connection = polkit.connection
        self.answers = answers
        self.questions = []  # (action, details) of all there were
        self.dialogs = {}  # id → invocation: somebody is asked for a password
        polkit.take_away()
        with open(self.POLICY, 'w', encoding='utf-8') as file:
            file.write('<busconfig><policy user="root"><allow own="' + NAME + '"/></policy></busconfig>')
        polkit.ask_bus('ReloadConfig')
        info = Gio.DBusNodeInfo.new_for_xml(STAND_IN).interfaces[0]
        self.registration = self.connection.register_object(PATH, info, self.on_call, None, None)
        polkit.ask_bus('RequestName', GLib.Variant('(su)', (NAME, 0)))

    def on_call(self, _connection, _sender, _path, _interface, method, parameters, invocation):
        values = parameters.unpack()
        if method == 'CancelCheckAuthorization':
            self.dialogs.pop(values[0], None)
            invocation.return_value(None)
            return
        _, action, details, flags, name = values
        action = action.rpartition('.')[2]
        self.questions.append((action, details))
        answer = self.answers.get(action.replace('-', '_'), 'yes')
        if answer == 'password' and flags & 1:
            self.dialogs[name] = invocation
        else:
            self.reply(invocation, answer == 'yes', answer == 'password')

    @staticmethod
    def reply(invocation, permitted, challenge):
        invocation.return_value(GLib.Variant('((bba{ss}))', ((permitted, challenge, {}),)))

    def dialog(self):
        """Waits until somebody is asked for a password; the name of the question."""
        return wait_for(lambda: next(iter(self.dialogs), None), 'a question for a password')

    def finish(self, name, permitted):
        """The right password was typed, or none."""
        self.reply(self.dialogs.pop(name), permitted, False)

    def end(self):
        self.polkit.ask_bus('ReleaseName', GLib.Variant('(s)', (NAME,)))
        self.connection.unregister_object(self.registration)
        os.unlink(self.POLICY)
