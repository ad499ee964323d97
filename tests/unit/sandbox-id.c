/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Sandbox id: what is said of a process, read into the name of its sandbox. */
#include "config.h"

#include "common/sandbox-id.h"

#include <string.h>

static void
test_valid (void)
{
  static const char *const good[] = { "",
                                      "unknown",
                                      "flatpak:org.example.App",
                                      "flatpak:a",
                                      "flatpak:org.example.App-1_x",
                                      "snap:firefox",
                                      "snap:a-b_c",
                                      "apparmor:/usr/bin/thing",
                                      "apparmor::ns:profile//child é" };
  static const char *const bad[] = {
    " ",     "unknown2", "flatpak:",  "flatpak",    "flatpak:a b",   "flatpak:.a",   "flatpak:a/b",
    "snap:", "snap:a\n", "apparmor:", "firejail:a", "apparmor:a\nb", "apparmor:\xff"
  };
  g_autofree char *longest = g_strnfill (TFD_SANDBOX_ID_MAX - strlen ("snap:"), 'a');
  g_autofree char *most = g_strconcat ("snap:", longest, NULL);
  g_autofree char *more = g_strconcat (most, "a", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_true (tfd_sandbox_id_is_valid (good[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (tfd_sandbox_id_is_valid (bad[i]));
  g_assert_true (tfd_sandbox_id_is_valid (most));
  g_assert_false (tfd_sandbox_id_is_valid (more));
}

static void
test_label (void)
{
  static const struct
  {
    const char *label, *expected;
  } cases[] = {
    { "", NULL },
    { "unconfined", NULL },
    { "/usr/bin/thing (complain)", NULL },
    { "code (unconfined)", NULL },
    { "unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023", NULL }, /* SELinux */
    { "_", NULL },                                                     /* Smack */
    { "/usr/bin/thing (enforce)", "apparmor:/usr/bin/thing" },
    { "/usr/bin/thing (kill)", "apparmor:/usr/bin/thing" },
    { "a//&b (mixed)", "apparmor:a//&b" },
    { "a (complain) (enforce)", "apparmor:a (complain)" },
    { "snap.firefox.firefox (enforce)", "snap:firefox" },
    { "snap.firefox_two.hook.configure (enforce)", "snap:firefox_two" },
    { "snap.code.code (complain)", NULL }, /* classic confinement */
    { "snap. .x (enforce)", "apparmor:snap. .x" },
    { "a\nb (enforce)", "unknown" },
    { " (enforce)", "unknown" },
    { "\xff (enforce)", "unknown" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *id = tfd_sandbox_id_from_label (cases[i].label);

      g_assert_cmpstr (id, ==, cases[i].expected);
    }
}

static void
test_label_too_long (void)
{
  g_autofree char *profile = g_strnfill (4000, 'p');
  g_autofree char *label = g_strconcat (profile, " (enforce)", NULL);
  g_autofree char *id = tfd_sandbox_id_from_label (label);

  g_assert_cmpstr (id, ==, "unknown");
}

static void
test_flatpak_info (void)
{
  static const struct
  {
    const char *text, *expected;
    gboolean network;
  } cases[] = {
    { "[Application]\nname=org.example.App\n[Context]\nshared=network;ipc;\n",
      "flatpak:org.example.App", TRUE },
    { "[Application]\nname=org.example.App\n[Context]\nshared=ipc;\n", "flatpak:org.example.App",
      FALSE },
    { "[Application]\nname=org.example.App\n[Context]\nshared=networks;!network\n",
      "flatpak:org.example.App", FALSE },
    { "[Application]\nname=org.example.App\n", "flatpak:org.example.App", FALSE },
    { "[Runtime]\nname=org.example.Sdk\n", "flatpak:org.example.Sdk", FALSE },
    { "", NULL, FALSE },
    { "name=org.example.App\n", NULL, FALSE },
    { "[Application]\nruntime=x\n", NULL, FALSE },
    { "[Application]\nname=\n", NULL, FALSE },
    { "[Application]\nname=../other\n", NULL, FALSE },
    { "[Application]\nname=org.example.App evil\n", NULL, FALSE },
    { "[Application]\nname=unknown:\n", NULL, FALSE },
    { "\x7f\x45\x4c\x46\x02\x01", NULL, FALSE },
    { "[Application]\nname=\xff\xfe\n", NULL, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gboolean network = TRUE;
      g_autofree char *id =
          tfd_sandbox_id_from_flatpak_info (cases[i].text, strlen (cases[i].text), &network);

      g_assert_cmpstr (id, ==, cases[i].expected);
      g_assert_cmpint (network, ==, cases[i].network);
    }
}

/* As much as a file may have, and a byte more; and a name that does not fit. */
static void
test_flatpak_info_size (void)
{
  static const char good[] = "[Application]\nname=org.example.App\n";
  g_autofree char *text = g_strnfill (TFD_FLATPAK_INFO_MAX + 1, '\n');
  g_autofree char *name = g_strnfill (300, 'a');
  g_autofree char *named = g_strdup_printf ("[Application]\nname=%s\n", name);
  g_autofree char *id = NULL;
  gboolean network;

  memcpy (text, good, strlen (good));
  id = tfd_sandbox_id_from_flatpak_info (text, TFD_FLATPAK_INFO_MAX, &network);
  g_assert_cmpstr (id, ==, "flatpak:org.example.App");
  g_assert_null (tfd_sandbox_id_from_flatpak_info (text, TFD_FLATPAK_INFO_MAX + 1, &network));
  g_assert_null (tfd_sandbox_id_from_flatpak_info (named, strlen (named), &network));
  /* a NUL within */
  text[5] = '\0';
  g_assert_null (tfd_sandbox_id_from_flatpak_info (text, 100, &network));
}

static void
test_cgroups (void)
{
  static const struct
  {
    const char *text, *expected;
  } cases[] = {
    { "", NULL },
    { "0::/user.slice/user-1000.slice/session-2.scope\n", NULL },
    { "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
      "snap.firefox.firefox-0b8.scope\n",
      "snap:firefox" },
    { "5:freezer:/snap.lxd\n0::/init.scope\n", "snap:lxd" },
    { "0::/system.slice/snapd.service\n", NULL },
    { "0::/snap..x\n", NULL },
    { "0::/a/xsnap.b.c\n", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *id = tfd_sandbox_id_from_cgroups (cases[i].text);

      g_assert_cmpstr (id, ==, cases[i].expected);
    }
}

static void
test_choose (void)
{
  static const struct
  {
    const char *labelled, *seen, *expected;
  } cases[] = {
    { NULL, "", "" },
    { NULL, "unknown", "unknown" },
    { NULL, "flatpak:a", "flatpak:a" },
    { "apparmor:p", "", "apparmor:p" },
    { "apparmor:p", "unknown", "unknown" },
    { "apparmor:p", "flatpak:a", "flatpak:a" },
    { "snap:s", "", "snap:s" },
    { "snap:s", "unknown", "snap:s" },
    { "snap:s", "flatpak:a", "snap:s" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *id = tfd_sandbox_id_choose (cases[i].labelled, cases[i].seen);

      g_assert_cmpstr (id, ==, cases[i].expected);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sandbox-id/valid", test_valid);
  g_test_add_func ("/sandbox-id/label", test_label);
  g_test_add_func ("/sandbox-id/label/too-long", test_label_too_long);
  g_test_add_func ("/sandbox-id/flatpak-info", test_flatpak_info);
  g_test_add_func ("/sandbox-id/flatpak-info/size", test_flatpak_info_size);
  g_test_add_func ("/sandbox-id/cgroups", test_cgroups);
  g_test_add_func ("/sandbox-id/choose", test_choose);
  return g_test_run ();
}
