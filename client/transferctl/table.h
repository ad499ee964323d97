/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Table: every listing, as aligned text for people or as JSON for programs. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum
{
  CTL_STYLE_PLAIN,
  CTL_STYLE_GOOD,
  CTL_STYLE_BUSY,
  CTL_STYLE_WARN,
  CTL_STYLE_BAD,
  CTL_STYLE_DIM,
  CTL_STYLE_BOLD,
} CtlStyle;

/* How to print. */
typedef struct
{
  gboolean json;
  gboolean colour;
  gboolean unicode;
  int width; /* columns to fit into, 0 = any number */
} CtlLook;

/* A column; the last one has a NULL key. */
typedef struct
{
  const char *key;   /* of the JSON objects */
  const char *title; /* NULL: only in JSON */
  gboolean right;
  gboolean shrink; /* may be cut to fit the terminal */
} CtlColumn;

typedef struct _CtlTable CtlTable;

/* A table with @columns, which must outlive it. */
CtlTable *ctl_table_new (const CtlColumn *columns);
void ctl_table_free (CtlTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CtlTable, ctl_table_free)

/* Adds a cell, row by row from the left: @shown (taken, NULL = as @value is) for people, @value
 * (nullable, consumed when floating) for programs. */
void ctl_table_add (CtlTable *table, char *shown, GVariant *value, CtlStyle style);
void ctl_table_add_string (CtlTable *table, const char *text);

guint ctl_table_n_rows (CtlTable *table);

/* All of it as text, with a newline at its end. Without rows it is empty, or "[]". */
char *ctl_table_format (CtlTable *table, const CtlLook *look);

/* The escape sequences around text of @style; "" without colour. */
const char *ctl_style_begin (CtlStyle style, gboolean colour);
const char *ctl_style_end (CtlStyle style, gboolean colour);

G_END_DECLS
