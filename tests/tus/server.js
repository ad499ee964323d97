// SPDX-License-Identifier: LGPL-2.1-or-later
// SPDX-FileCopyrightText: 2026 The transferd authors
//
// The reference server of tus 1.0: server.js DIRECTORY PORT. Uploads of any path below / end up as
// files in DIRECTORY; says "listening PORT" when it does. PORT 0: any.
'use strict';

const path = require('path');
// The modules are not installed into the source tree.
const modules = path.join(process.env.TFD_TUS_MODULES, 'node_modules');
const { Server } = require(path.join(modules, '@tus/server'));
const { FileStore } = require(path.join(modules, '@tus/file-store'));

const [directory, port] = process.argv.slice(2);
const server = new Server({
  path: '/files',
  datastore: new FileStore({
    directory,
    expirationPeriodInMilliseconds: Number(process.env.TFD_TUS_EXPIRATION || 0),
  }),
  relativeLocation: process.env.TFD_TUS_RELATIVE === '1',
  maxSize: Number(process.env.TFD_TUS_MAXIMUM || 0) || undefined,
});
const listener = server.listen({ host: '127.0.0.1', port: Number(port) }, () => {
  console.log(`listening ${listener.address().port}`);
});
