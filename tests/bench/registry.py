# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""The rows of the table, and what each is to reach."""
import calls
import transfers
from bout import Row, Target

CURL = 'curl, and sync of the file'

ROWS = [
    Row('bulk-plain', 'one 2 GiB file over HTTP, CreateJob to the end of Complete, on the disk', CURL,
        transfers.Bulk, 'transferd', 'curl', (Target('wall', 0.60), Target('cpu', 0.55))),
    Row('bulk-limit', 'the same', 'a receiver that does nothing but splice () and fdatasync ()',
        transfers.Bulk, 'transferd', 'splice', (Target('wall', 1.25),)),
    Row('bulk-background', 'the same in the background class', CURL,
        transfers.Bulk, 'background', 'curl',
        (Target('cpu', 0.40), Target('cache', 64, unit='MiB of page cache', alone=True),
         Target('memory', 24, unit='MiB of memory', alone=True))),
    Row('bulk-tls', 'one 2 GiB file over TLS 1.3', CURL,
        transfers.BulkTls, 'transferd', 'curl', (Target('wall', 0.80), Target('cpu', 0.80))),
    Row('small-aria2', '2,000 files of 10 KiB, one job, on the disk', 'aria2 -j8',
        transfers.Small, 'transferd', 'aria2', (Target('wall', 0.33),)),
    Row('small-curl', 'the same', 'curl --parallel-max 8, and sync of the file system',
        transfers.Small, 'transferd', 'curl', (Target('wall', 1.3),)),
    Row('small-tls', '20,000 files of 1 KiB over TLS 1.3, one job, on the disk',
        'curl --parallel-max 8, and sync of the file system',
        transfers.SmallTls, 'transferd', 'curl', (Target('wall', 1.6),)),
    Row('one-warm', 'one file of 10 KiB, with a worker that is there', 'a process of curl',
        transfers.One, 'transferd', 'curl', (Target('wall', 1.0),)),
    Row('one-cold', 'the same, and the worker has to be started', 'a process of curl',
        transfers.One, 'cold', 'curl', (Target('wall', 3.0),)),
    Row('upload-plain', '2 GiB sent by PUT', 'curl --upload-file',
        transfers.Upload, 'transferd', 'curl', (Target('wall', 1.05), Target('cpu', 0.6))),
    Row('upload-tls', '2 GiB sent by PUT over TLS 1.3', 'curl --upload-file',
        transfers.UploadTls, 'transferd', 'curl', (Target('wall', 1.3), Target('cpu', 1.7))),
    Row('create-one', 'CreateJob with a file, one after the other',
        'GDBus that commits the same rows with SQLite and answers',
        calls.CreateOne, 'transferd', 'echo', (Target('rate', 0.6, at_least=True),)),
    Row('create-many', 'CreateJob with a file, 16 clients, 8 calls each at a time',
        'SQLite alone, one transaction for each job',
        calls.CreateMany, 'transferd', 'sqlite', (Target('rate', 1.8, at_least=True),)),
    Row('add-files', 'AddFiles of 10,000 files in one call', 'SQLite alone, one transaction for all',
        calls.AddFiles, 'transferd', 'sqlite', (Target('wall', 3.0),)),
    Row('create-aria2', 'CreateJob and AddFile, durable', 'aria2.addUri by JSON-RPC, in memory',
        calls.CreateAdd, 'transferd', 'aria2', (Target('rate', 1.0, at_least=True),)),
    Row('create-lomiri', 'CreateJob and AddFile, durable', 'createDownload of Lomiri, in memory',
        calls.CreateAdd, 'transferd', 'lomiri', (Target('rate', 1.0, at_least=True),)),
    Row('list-jobs', 'ListJobs of 10,000 jobs', 'GDBus that answers the same rows',
        calls.ListJobs, 'transferd', 'echo', (Target('wall', 2.0),)),
]
