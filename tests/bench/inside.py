#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The part of the benchmark that runs in a machine of its own, see machine.sh: holds what a bout of
crowd.py needs, reads the names of contestants, and answers each with its sample as a line of JSON.

    inside.py BOUT whole|smoke CONTESTANT…"""
import json
import os
import subprocess
import sys
import traceback

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib')]
import crowd  # noqa: E402
import machine  # noqa: E402
from measure import Failed  # noqa: E402
from scene import Scene  # noqa: E402

PLACE = '/run/disk'


def answer(function):
    try:
        said = function() or {}
    except (Failed, AssertionError, OSError, subprocess.CalledProcessError) as error:
        traceback.print_exc()
        said = {'failed': str(error)[-2000:]}
    print(json.dumps(said), flush=True)
    return 'failed' not in said


def main(name, size, *contestants):
    machine.prepare_network()
    scene = Scene(PLACE, size == 'smoke')
    machine.make_certificate(PLACE)
    bout = getattr(crowd, name)(scene)
    try:
        if answer(lambda: bout.open(contestants)):
            for line in sys.stdin:
                if not answer(lambda contestant=line.strip(): bout.run(contestant)):
                    break
    finally:
        bout.close()
        scene.close()


if __name__ == '__main__':
    main(*sys.argv[1:])
