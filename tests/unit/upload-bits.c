/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Upload by the BITS upload protocol: each packet, and each error that a server can answer it by.
 */
#include "config.h"

#include "tests/unit/upload-talk.h"

#define GUID "{7df0354d-249b-430f-820d-3d2a9bef4931}"
#define URL "http://server/dir/file"
#define SESSION "{12345678-0000-0000-0000-000000000000}"
#define ACK "BITS-Packet-Type: Ack\n"
#define CREATED ACK "BITS-Protocol: " GUID "\nBITS-Session-Id: " SESSION "\n"
#define RECEIVED(offset) ACK "BITS-Received-Content-Range: " offset "\n"
#define ERROR(code, context) ACK "BITS-Error-Code: " code "\nBITS-Error-Context: " context "\n"
#define LOST ERROR ("0x8020001F", "0x5")
#define REMOTE TFD_ERROR_CONTEXT_REMOTE_FILE
#define APPLICATION TFD_ERROR_CONTEXT_REMOTE_APPLICATION

#define PING "BITS_POST " URL "\nBITS-Packet-Type: Ping\nContent-Length: 0\n"
#define CREATE                                                                                     \
  "BITS_POST " URL "\nBITS-Packet-Type: Create-Session\nContent-Length: 0\n"                       \
  "BITS-Supported-Protocols: " GUID "\n"
#define FRAGMENT "BITS_POST " URL "\nBITS-Packet-Type: Fragment\nBITS-Session-Id: " SESSION "\n"
#define NAMED FRAGMENT "Content-Name: report.pdf\n"
#define CLOSE                                                                                      \
  "BITS_POST " URL "\nBITS-Packet-Type: Close-Session\nContent-Length: 0\n"                        \
  "BITS-Session-Id: " SESSION "\n"
#define CANCEL                                                                                     \
  "BITS_POST " URL "\nBITS-Packet-Type: Cancel-Session\nContent-Length: 0\n"                       \
  "BITS-Session-Id: " SESSION "\n"

static void
begin (Talk *talk, guint64 size)
{
  talk_begin (talk, &tfd_upload_bits, size);
}

static void
begin_session (Talk *talk, guint64 size)
{
  begin (talk, size);
  talk_ask (talk);
  g_assert_cmpint (talk_answer (talk, 200, CREATED), ==, TFD_UPLOAD_GO_ON);
}

/* 2500 bytes, of which the server has 1000; the fragment after them was sent. */
static void
begin_fragment (Talk *talk)
{
  begin_session (talk, 2500);
  talk_ask (talk);
  g_assert_cmpint (talk_answer (talk, 200, RECEIVED ("1000")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (talk, FRAGMENT "Content-Range: bytes 1000-1999/2500\n[1000+1000]\n");
}

/* All was sent. */
static void
begin_close (Talk *talk)
{
  begin_session (talk, 10);
  talk_ask (talk);
  g_assert_cmpint (talk_answer (talk, 200, RECEIVED ("10")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (talk, CLOSE);
}

/* Conversations */

static void
test_conversation (void)
{
  g_auto (Talk) talk;

  begin (&talk, 2500);
  talk_expect (&talk, CREATE);
  g_assert_cmpint (talk_answer (&talk, 201, CREATED), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpstr (talk.state.session, ==, SESSION);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-999/2500\n[0+1000]\n");
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("1000")), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpuint (talk.state.offset, ==, 1000);
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 1000-1999/2500\n[1000+1000]\n");
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("2000")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 2000-2499/2500\n[2000+500]\n");
  g_assert_false (talk.state.sent);
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("2500")), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  g_assert_cmpuint (talk.state.offset, ==, 2500);
  talk_expect (&talk, CLOSE);
  g_assert_cmpint (talk_answer (&talk, 200, ACK), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.closed);
  talk_expect_end (&talk);
  talk_expect_forget (&talk, NULL);
}

/* A run that goes on with a session proves first who it is, without a body. */
static void
test_ping (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 2500);
  talk_interrupt (&talk);
  talk_expect (&talk, PING);
  g_assert_cmpint (talk_answer (&talk, 200, ACK), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-999/2500\n[0+1000]\n");
}

static const TalkRow ping_rows[] = {
  { "/upload/bits/ping/200", 200, ACK, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/ping/400", 400, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/ping/401", 401, "", TFD_UPLOAD_FAILED, TFD_ERROR_AUTHENTICATION_REQUIRED, REMOTE,
    FALSE },
  { "/upload/bits/ping/403", 403, ERROR ("0x80070005", "0x5"), TFD_UPLOAD_FAILED,
    TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/ping/407", 407, "", TFD_UPLOAD_FAILED, TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED,
    TFD_ERROR_CONTEXT_TRANSPORT, FALSE },
  { "/upload/bits/ping/503", 503, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};

static void
test_ping_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin_session (&talk, 2500);
  talk_interrupt (&talk);
  talk_expect (&talk, PING);
  talk_check_row (&talk, data);
}

/* Create-Session */

/* clang-format off */
static const TalkRow create_rows[] = {
  { "/upload/bits/create-session/200", 200, CREATED, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/201", 201, CREATED, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/names-in-lower-case", 200,
    "bits-packet-type: ack\nbits-protocol: " GUID "\nbits-session-id: x\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/names-in-upper-case", 200,
    "BITS-PACKET-TYPE: ACK\nBITS-PROTOCOL: {7DF0354D-249B-430F-820D-3D2A9BEF4931}\n"
    "BITS-SESSION-ID: x\n", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/misprint", 200,
    "BITS-Package-Type: ACK\nBITS-Protocol: " GUID "\nBITS-Session-Id: x\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/session-of-100", 200,
    ACK "BITS-Protocol: " GUID "\nBITS-Session-Id: "
    "1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/create-session/session-of-101", 200,
    ACK "BITS-Protocol: " GUID "\nBITS-Session-Id: "
    "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/create-session/no-session", 200, ACK "BITS-Protocol: " GUID "\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/create-session/session-with-blank", 200,
    ACK "BITS-Protocol: " GUID "\nBITS-Session-Id: a b\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/create-session/no-protocol", 200, ACK "BITS-Session-Id: x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/bits/create-session/other-protocol", 200,
    ACK "BITS-Protocol: {00000000-249b-430f-820d-3d2a9bef4931}\nBITS-Session-Id: x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/bits/create-session/no-ack", 200, "Content-Type: text/html\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/bits/create-session/host-is-none", 200, CREATED "BITS-Host-Id: evil@host/x\n",
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/create-session/400", 400, ERROR ("0x80070057", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_PROTOCOL_MISMATCH, REMOTE, FALSE },
  { "/upload/bits/create-session/401", 401, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_AUTHENTICATION_REQUIRED, REMOTE, FALSE },
  { "/upload/bits/create-session/403", 403, ERROR ("0x80070005", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/404", 404, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/405", 405, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/407", 407, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_PROXY_AUTHENTICATION_REQUIRED, TFD_ERROR_CONTEXT_TRANSPORT, FALSE },
  { "/upload/bits/create-session/409", 409, ERROR ("0x80070050", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/411", 411, ERROR ("0x80070057", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/413", 413, ERROR ("0x80200020", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/bits/create-session/500", 500, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
  { "/upload/bits/create-session/500-too-large", 500, ERROR ("0x80200020", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/bits/create-session/500-execute-enabled", 500, ERROR ("0x80200023", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/403-execute-enabled", 403, ERROR ("0x80200023", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/501", 501, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/create-session/503", 503, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
};
/* clang-format on */

static void
test_create_row (gconstpointer data)
{
  g_auto (Talk) talk;

  begin (&talk, 2500);
  talk_expect (&talk, CREATE);
  talk_check_row (&talk, data);
  g_assert_cmpint (talk.state.session != NULL, ==, talk.failure.message == NULL);
}

/* Fragment */

/* clang-format off */
static const TalkRow fragment_rows[] = {
  { "/upload/bits/fragment/200", 200, RECEIVED ("2000"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/200-less", 200, RECEIVED ("1001"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/200-more", 200, RECEIVED ("2300"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/200-all", 200, RECEIVED ("2500"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/200-beyond-total", 200, RECEIVED ("2501"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/200-no-progress", 200, RECEIVED ("1000"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/200-backwards", 200, RECEIVED ("999"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/200-no-number", 200, RECEIVED ("bytes 0-1999"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/200-no-range", 200, ACK,
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/400", 400, ERROR ("0x80070057", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/fragment/403", 403, ERROR ("0x80070005", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/fragment/404", 404, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/fragment/411", 411, ERROR ("0x80070057", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/fragment/413-too-large", 413, ERROR ("0x80200020", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/bits/fragment/413-small", 413, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/bits/fragment/500-too-large", 500, ERROR ("0x80200020", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_TOO_LARGE, REMOTE, FALSE },
  { "/upload/bits/fragment/500", 500, ERROR ("0x80070057", "0x5"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, TRUE },
  { "/upload/bits/fragment/501", 501, "",
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE, FALSE },
  { "/upload/bits/fragment/session-not-found", 500, LOST, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/bits/fragment/session-not-found-in-lower-case", 500,
    "bits-error-code: 0x8020001f\nbits-error-context: 0x5\n", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/bits/fragment/session-not-found-by-bits-error", 500,
    ACK "BITS-Error: 0x8020001F\nBITS-Error-Context: 0x5\n", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/bits/fragment/session-not-found-by-both", 500,
    ACK "BITS-Error: 0x8020001F\nBITS-Error-Code: 0x8020001F\n", TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/bits/fragment/session-not-found-404", 404, LOST, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  { "/upload/bits/fragment/416", 416, RECEIVED ("500") "BITS-Error-Code: 0x0\n",
    TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/416-start", 416, RECEIVED ("0"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/416-all", 416, RECEIVED ("2500"), TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/fragment/416-beyond-total", 416, RECEIVED ("2501"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/416-no-number", 416, RECEIVED ("-1"),
    TFD_UPLOAD_FAILED, TFD_ERROR_INVALID_SERVER_RESPONSE, REMOTE, FALSE },
  { "/upload/bits/fragment/416-no-range", 416, ACK, TFD_UPLOAD_RESTART, 0, 0, FALSE },
  /* of the application behind the server: the status alone counts */
  { "/upload/bits/fragment/application-300", 300, ERROR ("0x8019012c", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-306", 306, ERROR ("0x80190132", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
  { "/upload/bits/fragment/application-400", 400, ERROR ("0x80190190", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-401", 401, ERROR ("0x80190191", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-403", 403, ERROR ("0x80190193", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-408", 408, ERROR ("0x80190198", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
  { "/upload/bits/fragment/application-409", 409, ERROR ("0x80190199", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
  { "/upload/bits/fragment/application-413", 413, ERROR ("0x8019019d", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-416", 416, ERROR ("0x801901a0", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-500", 500, ERROR ("0x801901f4", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
  { "/upload/bits/fragment/application-501", 501, ERROR ("0x801901f5", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-503", 503, ERROR ("0x801901f7", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
  { "/upload/bits/fragment/application-505", 505, ERROR ("0x801901f9", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, FALSE },
  { "/upload/bits/fragment/application-says-session-not-found", 500, ERROR ("0x8020001F", "0x7"),
    TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, APPLICATION, TRUE },
};
/* clang-format on */

static void
test_fragment_row (gconstpointer data)
{
  const TalkRow *row = data;
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_check_row (&talk, row);
  /* nothing that failed counts */
  if (row->verdict == TFD_UPLOAD_FAILED)
    {
      g_assert_cmpuint (talk.state.offset, ==, 1000);
      g_assert_cmpstr (talk.state.session, ==, SESSION);
      g_assert_false (talk.state.sent);
    }
}

static void
test_offset_follows_server (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_answer (&talk, 200, RECEIVED ("1700"));
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 1700-2499/2500\n[1700+800]\n");
}

/* A gap: the server says where to go on, and the first fragment has the name again. */
static void
test_gap (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_answer (&talk, 416, RECEIVED ("400"));
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 400-1399/2500\n[400+1000]\n");
  talk_answer (&talk, 416, RECEIVED ("0"));
  talk_expect (&talk, NAMED "Content-Range: bytes 0-999/2500\n[0+1000]\n");
}

static void
test_gaps_without_end (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_expect_patience (&talk, 416, RECEIVED ("1000"), 5);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_INVALID_SERVER_RESPONSE);
  g_assert_true (talk.failure.transient);
}

static void
test_session_lost (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  g_assert_cmpint (talk_answer (&talk, 500, LOST), ==, TFD_UPLOAD_RESTART);
  talk_expect (&talk, CREATE);
  talk_answer (&talk, 200, CREATED);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-999/2500\n[0+1000]\n");
}

/* A server that loses each session is left alone for a while, also when it takes a few bytes. */
static void
test_sessions_lost_without_end (void)
{
  g_auto (Talk) talk;
  guint losses = 0;
  TfdUploadVerdict verdict;

  begin_fragment (&talk);
  while ((verdict = talk_answer (&talk, 500, LOST)) == TFD_UPLOAD_RESTART)
    {
      g_assert_cmpuint (++losses, <, 5);
      talk_expect (&talk, CREATE);
      talk_answer (&talk, 200, CREATED);
      talk_ask (&talk);
      talk_answer (&talk, 200, RECEIVED ("1000"));
      talk_ask (&talk);
    }
  g_assert_cmpint (verdict, ==, TFD_UPLOAD_FAILED);
  g_assert_true (talk.failure.transient);
  talk_expect (&talk, CREATE);
}

/* The answer to the last fragment was lost: it goes again. */
static void
test_last_ack_lost (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_answer (&talk, 200, RECEIVED ("2000"));
  talk_ask (&talk);
  talk_interrupt (&talk);
  talk_expect (&talk, PING);
  talk_answer (&talk, 200, ACK);
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 2000-2499/2500\n[2000+500]\n");
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("2500")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, CLOSE);
}

static void
test_zero_bytes (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 0);
  talk_expect (&talk, NAMED "Content-Range: bytes */0\n[0+0]\n");
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("0")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, CLOSE);
}

static void
test_one_byte (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 1);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-0/1\n[0+1]\n");
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("1")), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, CLOSE);
}

static void
test_huge (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, G_GUINT64_CONSTANT (5) << 30);
  talk.source.fragment = G_GUINT64_CONSTANT (1) << 32;
  talk_expect (&talk, NAMED "Content-Range: bytes 0-4294967295/5368709120\n[0+4294967296]\n");
  talk_answer (&talk, 200, RECEIVED ("4294967296"));
  talk_expect (&talk, FRAGMENT "Content-Range: bytes 4294967296-5368709119/5368709120\n"
                               "[4294967296+1073741824]\n");
}

/* A field is ASCII; a name need not be. */
static void
test_content_name (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 1);
  talk.source.name = "Jahres bericht 100% ä.pdf";
  talk_expect (&talk, FRAGMENT "Content-Name: Jahres bericht 100% %C3%A4.pdf\n"
                               "Content-Range: bytes 0-0/1\n[0+1]\n");
}

/* A body limit that nobody announced: smaller fragments, down to 64 KiB. */
static void
test_fragment_too_large (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 10000000);
  talk.source.fragment = 1 << 20;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 413, ""), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-262143/10000000\n[0+262144]\n");
  g_assert_cmpint (talk_answer (&talk, 413, ""), ==, TFD_UPLOAD_GO_ON);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-65535/10000000\n[0+65536]\n");
  g_assert_cmpint (talk_answer (&talk, 413, ""), ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_TOO_LARGE);
}

/* Retry-After of a server in trouble is kept for the scheduler. */
static void
test_retry_after (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_answer (&talk, 503, "Retry-After: 120\n");
  g_assert_cmpuint (talk.failure.retry_after, ==, 120 * G_USEC_PER_SEC);
}

/* Reply */

static void
check_reply (const char *url, const char *field, const char *expected)
{
  g_auto (Talk) talk;
  g_autofree char *fields = g_strconcat (RECEIVED ("10"), field, NULL);

  begin_session (&talk, 10);
  talk.source.url = url;
  talk.source.reply = TRUE;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, fields), ==, TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  g_assert_false (talk.state.replied);
  g_assert_cmpstr (talk.state.reply_url, ==, expected);
}

static void
test_reply_url (void)
{
  check_reply (URL, "BITS-Reply-URL: http://server/replies/1\n", "http://server/replies/1");
  check_reply (URL, "bits-reply-url: /replies/1?a=b\n", "http://server/replies/1?a=b");
  check_reply (URL, "BITS-Reply-URL: replies/1\n", "http://server/dir/replies/1");
  check_reply (URL, "BITS-Reply-URL: //other:81/r\n", "http://other:81/r");
  check_reply (URL, "BITS-Reply-URL: https://other/r\n", "https://other/r");
  check_reply (URL, "", NULL);
}

/* Close-Session comes only when the reply is here. */
static void
test_reply_then_close (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 10);
  talk.source.reply = TRUE;
  talk_ask (&talk);
  talk_answer (&talk, 200, RECEIVED ("10") "BITS-Reply-URL: /r\n");
  talk.state.replied = TRUE;
  talk_expect (&talk, CLOSE);
  talk_expect_forget (&talk, CANCEL);
}

/* An upload that wants no reply does not care what a server says of one. */
static void
test_reply_unwanted (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 10);
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("10") "BITS-Reply-URL: file:///etc/x\n"), ==,
                   TFD_UPLOAD_GO_ON);
  g_assert_null (talk.state.reply_url);
  talk_expect (&talk, CLOSE);
}

static void
test_reply_url_unusable (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 10);
  talk.source.reply = TRUE;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("10") "BITS-Reply-URL: file:///etc/x\n"), ==,
                   TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_INVALID_SERVER_RESPONSE);
  g_assert_false (talk.state.sent);
}

static void
test_reply_url_downgraded (void)
{
  g_auto (Talk) talk;

  begin_session (&talk, 10);
  talk.source.url = "https://server/f";
  talk.source.reply = TRUE;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("10") "BITS-Reply-URL: http://server/r\n"),
                   ==, TFD_UPLOAD_FAILED);
  g_assert_cmpint (talk.failure.code, ==, TFD_ERROR_REDIRECT_REFUSED);
  talk.source.downgrade = TRUE;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, RECEIVED ("10") "BITS-Reply-URL: http://server/r\n"),
                   ==, TFD_UPLOAD_GO_ON);
}

/* The server has the file and says no more: only another upload brings the reply. */
static void
test_reply_lost (void)
{
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk.source.reply = TRUE;
  g_assert_cmpint (talk_answer (&talk, 416, RECEIVED ("2500")), ==, TFD_UPLOAD_RESTART);
}

/* Host-Id */

static void
check_host (const char *url, const char *host, const char *expected)
{
  g_auto (Talk) talk;
  g_autofree char *fields = g_strconcat (CREATED "BITS-Host-Id: ", host, NULL);

  begin (&talk, 10);
  talk.source.url = url;
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, fields), ==, TFD_UPLOAD_GO_ON);
  g_assert_cmpstr (talk.state.host, ==, host);
  g_assert_cmpint (talk.state.host_timeout, ==, -1);
  talk_ask (&talk);
  g_assert_cmpstr (talk.request.url, ==, expected);
  talk_interrupt (&talk);
  talk_ask (&talk);
  g_assert_cmpstr (talk.request.url, ==, expected);
}

static void
test_host_id (void)
{
  check_host (URL, "node7", "http://node7/dir/file");
  check_host ("http://server:8080/f?q=1", "node7", "http://node7:8080/f?q=1");
  check_host ("http://server:8080/f", "node7:81", "http://node7:81/f");
  check_host ("https://[::1]:8080/f", "[fe80::1]", "https://[fe80::1]:8080/f");
  check_host ("https://[::1]/f", "10.0.0.1", "https://10.0.0.1/f");
}

static void
test_host_id_refused (void)
{
  static const char *const hosts[] = { "a b", "a/b",  "user@host", "a?b",
                                       "a#b", "a\\b", "host:x",    "host:99999" };

  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_auto (Talk) talk;
      g_autofree char *fields = g_strconcat (CREATED "BITS-Host-Id: ", hosts[i], NULL);

      begin (&talk, 10);
      talk_ask (&talk);
      g_assert_cmpint (talk_answer (&talk, 200, fields), ==, TFD_UPLOAD_FAILED);
      g_assert_null (talk.state.host);
    }
}

static void
test_host_id_of_300 (void)
{
  g_auto (Talk) talk;
  g_autofree char *long_host = g_strnfill (301, 'a');
  g_autofree char *fields = g_strconcat (CREATED "BITS-Host-Id: ", long_host, NULL);

  begin (&talk, 10);
  talk_ask (&talk);
  g_assert_cmpint (talk_answer (&talk, 200, fields), ==, TFD_UPLOAD_FAILED);
}

/* The host cannot be reached: back to the one of the URL, which has never heard of the session. */
static void
test_host_id_fallback (void)
{
  g_auto (Talk) talk;

  begin (&talk, 10);
  talk_ask (&talk);
  talk_answer (&talk, 200, CREATED "BITS-Host-Id: node7\nBITS-Host-Id-Fallback-Timeout: 60\n");
  g_assert_cmpint (talk.state.host_timeout, ==, 60);
  talk_ask (&talk);
  tfd_upload_host_lost (&talk.state);
  talk_expect (&talk, PING);
  talk_answer (&talk, 200, ACK);
  talk_expect (&talk, NAMED "Content-Range: bytes 0-9/10\n[0+10]\n");
  g_assert_cmpint (talk_answer (&talk, 500, LOST), ==, TFD_UPLOAD_RESTART);
  talk_expect (&talk, CREATE);
}

static void
test_fallback_without_host (void)
{
  g_auto (Talk) talk;

  begin (&talk, 10);
  talk_ask (&talk);
  talk_answer (&talk, 200, CREATED "BITS-Host-Id-Fallback-Timeout: 60\n");
  g_assert_null (talk.state.host);
  g_assert_cmpint (talk.state.host_timeout, ==, -1);
}

/* A new session is made at the host of the URL. */
static void
test_host_id_ends_with_session (void)
{
  g_auto (Talk) talk;

  begin (&talk, 10);
  talk_ask (&talk);
  talk_answer (&talk, 200, CREATED "BITS-Host-Id: node7\n");
  talk_ask (&talk);
  talk_answer (&talk, 500, LOST);
  talk_expect (&talk, CREATE);
}

/* Close-Session and Cancel-Session */

static const TalkRow close_rows[] = {
  { "/upload/bits/close-session/200", 200, ACK, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/302", 302, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/400", 400, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/404", 404, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/499", 499, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/session-not-found", 500, LOST, TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/500", 500, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE,
    TRUE },
  { "/upload/bits/close-session/501", 501, "", TFD_UPLOAD_GO_ON, 0, 0, FALSE },
  { "/upload/bits/close-session/503", 503, "", TFD_UPLOAD_FAILED, TFD_ERROR_HTTP_STATUS, REMOTE,
    TRUE },
};

static void
test_close_row (gconstpointer data)
{
  const TalkRow *row = data;
  g_auto (Talk) talk;

  begin_close (&talk);
  talk_check_row (&talk, row);
  g_assert_cmpint (talk.state.closed, ==, row->verdict == TFD_UPLOAD_GO_ON);
  g_assert_true (talk.state.sent);
  if (row->verdict == TFD_UPLOAD_FAILED)
    talk_expect (&talk, CLOSE);
  else
    talk_expect_end (&talk);
}

/* As Close-Session: GO_ON stands for "there is no use in asking again". */
static void
test_cancel_row (gconstpointer data)
{
  const TalkRow *row = data;
  g_auto (Talk) talk;

  begin_fragment (&talk);
  talk_expect_forget (&talk, CANCEL);
  g_assert_cmpint (talk_forgotten (&talk, row->status, row->fields), ==,
                   row->verdict == TFD_UPLOAD_GO_ON);
}

static void
test_cancel_nothing (void)
{
  g_auto (Talk) talk;

  begin (&talk, 10);
  talk_expect_forget (&talk, NULL);
}

static void
add_rows (const TalkRow *rows, gsize n_rows, GTestDataFunc function)
{
  for (gsize i = 0; i < n_rows; i++)
    g_test_add_data_func (rows[i].name, &rows[i], function);
}

static void
add_cancel_rows (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (close_rows); i++)
    {
      const char *last = strrchr (close_rows[i].name, '/');
      g_autofree char *name = g_strconcat ("/upload/bits/cancel-session", last, NULL);

      g_test_add_data_func (name, &close_rows[i], test_cancel_row);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/upload/bits/conversation", test_conversation);
  g_test_add_func ("/upload/bits/ping", test_ping);
  add_rows (ping_rows, G_N_ELEMENTS (ping_rows), test_ping_row);
  add_rows (create_rows, G_N_ELEMENTS (create_rows), test_create_row);
  add_rows (fragment_rows, G_N_ELEMENTS (fragment_rows), test_fragment_row);
  add_rows (close_rows, G_N_ELEMENTS (close_rows), test_close_row);
  add_cancel_rows ();
  g_test_add_func ("/upload/bits/fragment/offset-follows-server", test_offset_follows_server);
  g_test_add_func ("/upload/bits/fragment/gap", test_gap);
  g_test_add_func ("/upload/bits/fragment/gaps-without-end", test_gaps_without_end);
  g_test_add_func ("/upload/bits/fragment/session-lost", test_session_lost);
  g_test_add_func ("/upload/bits/fragment/sessions-lost-without-end",
                   test_sessions_lost_without_end);
  g_test_add_func ("/upload/bits/fragment/last-ack-lost", test_last_ack_lost);
  g_test_add_func ("/upload/bits/fragment/zero-bytes", test_zero_bytes);
  g_test_add_func ("/upload/bits/fragment/one-byte", test_one_byte);
  g_test_add_func ("/upload/bits/fragment/huge", test_huge);
  g_test_add_func ("/upload/bits/fragment/content-name", test_content_name);
  g_test_add_func ("/upload/bits/fragment/413", test_fragment_too_large);
  g_test_add_func ("/upload/bits/fragment/retry-after", test_retry_after);
  g_test_add_func ("/upload/bits/reply/url", test_reply_url);
  g_test_add_func ("/upload/bits/reply/then-close", test_reply_then_close);
  g_test_add_func ("/upload/bits/reply/unwanted", test_reply_unwanted);
  g_test_add_func ("/upload/bits/reply/url-unusable", test_reply_url_unusable);
  g_test_add_func ("/upload/bits/reply/url-downgraded", test_reply_url_downgraded);
  g_test_add_func ("/upload/bits/reply/lost", test_reply_lost);
  g_test_add_func ("/upload/bits/host-id/replaces-host", test_host_id);
  g_test_add_func ("/upload/bits/host-id/refused", test_host_id_refused);
  g_test_add_func ("/upload/bits/host-id/too-long", test_host_id_of_300);
  g_test_add_func ("/upload/bits/host-id/fallback", test_host_id_fallback);
  g_test_add_func ("/upload/bits/host-id/timeout-alone", test_fallback_without_host);
  g_test_add_func ("/upload/bits/host-id/ends-with-session", test_host_id_ends_with_session);
  g_test_add_func ("/upload/bits/cancel-session/nothing", test_cancel_nothing);

  return g_test_run ();
}
