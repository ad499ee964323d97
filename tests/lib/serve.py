# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Serves one file that exists only in the imagination of httpd.py, with ranges, until it is ended.

    serve.py SIZE RATE      bytes, and bytes a second; prints the URL, then the SHA-256
"""
import sys
import threading

import httpd


def main():
    size, rate = (int(argument) for argument in sys.argv[1:])
    server = httpd.Server()
    resource = server.add('/transferd-demo.bin', size, seed='demo', rate=rate)
    print(server.url(resource.path))
    print(resource.sha256, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass


if __name__ == '__main__':
    main()
