/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Classify: HTTP status, errno and GError, turned into failures by tables. */
#include "config.h"

#include "common/classify.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#define MAXIMUM_PHRASE 80 /* bytes */

/* @failure may hold an older one; the file is left for the caller to say. */
static void
fill (TfdFailure *failure, TfdErrorCode code, TfdErrorContext context, char *message)
{
  tfd_failure_clear (failure);
  failure->code = code;
  failure->context = context;
  failure->transient = tfd_error_code_is_transient (code);
  failure->file = G_MAXUINT32;
  failure->message = message;
}

/* As BITS tells them apart, with RFC 8470 (425) and RFC 6585 (429), which came later. 408 is the
 * server's time-out; 308 is 307 for good. */
static gboolean
status_is_transient (guint status)
{
  if (status >= 300 && status <= 399)
    return !(status <= 305 || status == 307 || status == 308);
  if (status >= 400 && status <= 499)
    return status == 408 || status == 409 || status == 425 || status == 429;
  return status != 501 && status != 505;
}

void
tfd_classify_http_status (guint status, const char *reason, TfdFailure *failure)
{
  TfdErrorCode code = TFD_ERROR_HTTP_STATUS;
  TfdErrorContext context = TFD_ERROR_CONTEXT_REMOTE_FILE;

  if (status == 401)
    code = TFD_ERROR_AUTHENTICATION_REQUIRED;
  else if (status == 407)
    {
      code = TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED;
      context = TFD_ERROR_CONTEXT_TRANSPORT;
    }

  /* the phrase is the server's: only what can be shown anywhere gets into the message */
  g_autofree char *phrase = NULL;
  if (reason != NULL && reason[0] != '\0')
    {
      phrase = g_utf8_make_valid (reason, (gssize) strnlen (reason, MAXIMUM_PHRASE));
      for (char *p = phrase; *p != '\0'; p++)
        if (g_ascii_iscntrl (*p))
          *p = ' ';
    }
  fill (failure, code, context,
        phrase != NULL ? g_strdup_printf ("the server answered %u (%s)", status, phrase)
                       : g_strdup_printf ("the server answered %u", status));
  failure->http_status = status;
  if (code == TFD_ERROR_HTTP_STATUS)
    failure->transient = status_is_transient (status);
}

/* What is not listed is FileAccessDenied: something about the destination is such that trying
 * again does not help. */
static TfdErrorCode
code_of_errno (int error_number)
{
  switch (error_number)
    {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: /* of the file system (FAT: 4 GiB) or the user's limit: it does not fit either */
      return TFD_ERROR_INSUFFICIENT_SPACE;

    /* a home, stick or share that went away looks like this, and so does one on its way out:
     * an unplugged disk says EIO first */
    case ENOENT:
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
    case EIO:
    case EREMOTEIO:
    case ESTALE:
    case ENOTCONN:
    case ESHUTDOWN:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ECONNREFUSED:
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT:
    case ENOKEY: /* an encrypted directory whose key is not there before log-on */
    case EKEYEXPIRED:
    /* the machine is short of something or somebody is in the way: that passes */
    case EINTR:
    case EAGAIN:
    case EBUSY:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case ENOLCK:
      return TFD_ERROR_DESTINATION_UNAVAILABLE;

    default:
      return TFD_ERROR_FILE_ACCESS_DENIED;
    }
}

void
tfd_classify_errno (int error_number, const char *doing, TfdFailure *failure)
{
  fill (failure, code_of_errno (error_number), TFD_ERROR_CONTEXT_LOCAL_FILE,
        g_strdup_printf ("%s: %s", doing, g_strerror (error_number)));
}

/* Whether the machine is offline is known to the network monitor alone, which also reports the end
 * of it. A route that is missing to one host is ConnectionFailed, with a timer: a job that waited
 * for the network here might wait for an event that never comes. */
static TfdErrorCode
code_of_io_error (int code)
{
  switch (code)
    {
    case G_IO_ERROR_HOST_NOT_FOUND:
      return TFD_ERROR_NAME_NOT_RESOLVED;
    case G_IO_ERROR_TIMED_OUT:
      return TFD_ERROR_TIMED_OUT;
    case G_IO_ERROR_CONNECTION_CLOSED: /* broken pipe, too */
    case G_IO_ERROR_PARTIAL_INPUT:
    case G_IO_ERROR_CLOSED:
    case G_IO_ERROR_NOT_CONNECTED:
      return TFD_ERROR_CONNECTION_LOST;
    case G_IO_ERROR_PROXY_AUTH_FAILED:
    case G_IO_ERROR_PROXY_NEED_AUTH:
      return TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED;
    default:
      return TFD_ERROR_CONNECTION_FAILED;
    }
}

static TfdErrorCode
code_of_tls_error (int code)
{
  switch (code)
    {
    case G_TLS_ERROR_BAD_CERTIFICATE:
    case G_TLS_ERROR_BAD_CERTIFICATE_PASSWORD:
      return TFD_ERROR_CERTIFICATE_INVALID;
    case G_TLS_ERROR_CERTIFICATE_REQUIRED: /* the server wants one of ours */
      return TFD_ERROR_AUTHENTICATION_REQUIRED;
    case G_TLS_ERROR_EOF:
      return TFD_ERROR_CONNECTION_LOST;
    default:
      return TFD_ERROR_CONNECTION_FAILED;
    }
}

static TfdErrorContext
context_of (TfdErrorCode code)
{
  switch (code)
    {
    case TFD_ERROR_LOCAL_FILE_CHANGED:
    case TFD_ERROR_FILE_ACCESS_DENIED:
    case TFD_ERROR_FILE_MISSING:
    case TFD_ERROR_DESTINATION_UNAVAILABLE:
    case TFD_ERROR_INSUFFICIENT_SPACE:
    case TFD_ERROR_INVALID_PATH:
      return TFD_ERROR_CONTEXT_LOCAL_FILE;

    case TFD_ERROR_NETWORK_DISCONNECTED:
    case TFD_ERROR_CONNECTION_FAILED:
    case TFD_ERROR_CONNECTION_LOST:
    case TFD_ERROR_TIMED_OUT:
    case TFD_ERROR_CERTIFICATE_INVALID:
    case TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED:
    case TFD_ERROR_INVALID_PROXY:
      return TFD_ERROR_CONTEXT_TRANSPORT;

    case TFD_ERROR_NAME_NOT_RESOLVED:
    case TFD_ERROR_HTTP_STATUS:
    case TFD_ERROR_AUTHENTICATION_REQUIRED:
    case TFD_ERROR_TOO_MANY_REDIRECTS:
    case TFD_ERROR_REDIRECT_REFUSED:
    case TFD_ERROR_MISSING_FILE_SIZE:
    case TFD_ERROR_INSUFFICIENT_RANGE_SUPPORT:
    case TFD_ERROR_INVALID_SERVER_RESPONSE:
    case TFD_ERROR_REMOTE_FILE_CHANGED:
    case TFD_ERROR_DIGEST_MISMATCH:
    case TFD_ERROR_VALIDATION_FAILED:
    case TFD_ERROR_MAXIMUM_SIZE_EXCEEDED:
    case TFD_ERROR_PROTOCOL_MISMATCH:
    case TFD_ERROR_INVALID_RANGE:
    case TFD_ERROR_INVALID_URL:
    case TFD_ERROR_TOO_LARGE:
      return TFD_ERROR_CONTEXT_REMOTE_FILE;

    case TFD_ERROR_MAXIMUM_DOWNLOAD_TIME:
    case TFD_ERROR_NO_PROGRESS:
    case TFD_ERROR_BLOCKED_BY_POLICY:
    case TFD_ERROR_BLOCKED_BY_COST:
    case TFD_ERROR_BLOCKED_BY_POWER:
    case TFD_ERROR_OWNER_NOT_LOGGED_IN:
    case TFD_ERROR_OWNER_GONE:
    case TFD_ERROR_WORKER_LOST:
      return TFD_ERROR_CONTEXT_QUEUE_MANAGER;

    default:
      return TFD_ERROR_CONTEXT_UNKNOWN;
    }
}

void
tfd_classify_network_error (const GError *error, TfdFailure *failure)
{
  g_return_if_fail (error != NULL);

  TfdErrorCode code = TFD_ERROR_CONNECTION_FAILED;
  if (error->domain == TFD_ERROR && error->code >= 0 && error->code < TFD_N_ERRORS)
    code = (TfdErrorCode) error->code;
  else if (error->domain == G_IO_ERROR)
    code = code_of_io_error (error->code);
  else if (error->domain == G_RESOLVER_ERROR)
    code = TFD_ERROR_NAME_NOT_RESOLVED;
  else if (error->domain == G_TLS_ERROR)
    code = code_of_tls_error (error->code);
  fill (failure, code, context_of (code), g_strdup (error->message));
}
