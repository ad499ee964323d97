/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Wire, inside: the table of properties as its own files see it. */
#pragma once

#include "common/wire.h"

G_BEGIN_DECLS

typedef struct
{
  TfdPropertyInfo info;
  gsize offset;              /* of the field in TfdJobProperties */
  GType (*enum_type) (void); /* (nullable) of a string that is an enumeration */
  gboolean (*validate) (const char *key, GVariant *value, GError **error); /* (nullable) */
  guint types; /* of jobs that have it: a bit for each TfdJobType */
} TfdProperty;

#define tfd_throw_args(error, ...)                                                                 \
  g_set_error (error, TFD_ERROR, TFD_ERROR_INVALID_ARGS, __VA_ARGS__)

/* The whole table, and one entry of it (NULL when there is none). */
const TfdProperty *tfd_properties (gsize *n_properties);
const TfdProperty *tfd_property_find (const char *name);

/* Is @value one that @property can have at all? */
gboolean tfd_property_check (const TfdProperty *property, GVariant *value, GError **error);

/* The field of @property as it is, floating; and the other way, for a checked @value. */
GVariant *tfd_property_load (const TfdProperty *property, const TfdJobProperties *properties);
void
tfd_property_store (const TfdProperty *property, TfdJobProperties *properties, GVariant *value);

/* Throws InvalidArgs for the value of @key when it is not of type @signature. */
gboolean
tfd_wire_check_type (const char *key, GVariant *value, const char *signature, GError **error);

/* Text of people: UTF-8, at most @limit characters (StringTooLong), no control characters but, when
 * @lines, line feeds. */
gboolean tfd_wire_check_text (
    const char *key, const char *text, glong limit, gboolean lines, GError **error);

G_END_DECLS
