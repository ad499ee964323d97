/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* The client library of transferd: background transfers for applications. */
#pragma once

#include <transfer/transfer-client.h>
#include <transfer/transfer-enums.h>
#include <transfer/transfer-error.h>
#include <transfer/transfer-file.h>
#include <transfer/transfer-job-descriptors.h>
#include <transfer/transfer-job.h>
