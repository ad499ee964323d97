/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sanitizer: whether this is a build for finding mistakes with AddressSanitizer, which maps far
 * more memory than it uses, and whose search for leaks starts a process that traces its own. */
#pragma once

#if defined(__SANITIZE_ADDRESS__)
#define TFD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TFD_SANITIZER 1
#endif
#endif

#ifndef TFD_SANITIZER
#define TFD_SANITIZER 0
#endif
