/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SPDX-FileCopyrightText: 2026 The transferd authors */
/* Table: every listing, as aligned text for people or as JSON for programs. */
#include "config.h"
#include "client/transferctl/table.h"

#include "client/transferctl/format.h"
#include "client/transferctl/json.h"

/* Blanks between two columns, and the least that a column is cut to. */
#define GAP 2
#define LEAST_WIDTH 8

typedef struct
{
  char *shown;     /* (owned) clean text */
  GVariant *value; /* (owned) (nullable) */
  CtlStyle style;
} Cell;

struct _CtlTable
{
  const CtlColumn *columns; /* (not owned) */
  guint n_columns;
  GArray *cells; /* (owned) (element-type Cell) row by row */
};

static void
cell_clear (gpointer data)
{
  Cell *cell = data;

  g_free (cell->shown);
  g_clear_pointer (&cell->value, g_variant_unref);
}

CtlTable *
ctl_table_new (const CtlColumn *columns)
{
  CtlTable *table = g_new0 (CtlTable, 1);

  table->columns = columns;
  while (columns[table->n_columns].key != NULL)
    table->n_columns++;
  table->cells = g_array_new (FALSE, TRUE, sizeof (Cell));
  g_array_set_clear_func (table->cells, cell_clear);
  return table;
}

void
ctl_table_free (CtlTable *table)
{
  g_array_unref (table->cells);
  g_free (table);
}

void
ctl_table_add (CtlTable *table, char *shown, GVariant *value, CtlStyle style)
{
  g_autofree char *text = shown;
  Cell cell = { .value = value != NULL ? g_variant_ref_sink (value) : NULL, .style = style };

  if (text == NULL)
    text = cell.value != NULL ? ctl_format_value (cell.value) : g_strdup ("-");
  cell.shown = ctl_clean_text (text);
  g_array_append_val (table->cells, cell);
}

void
ctl_table_add_string (CtlTable *table, const char *text)
{
  ctl_table_add (table, NULL, g_variant_new_string (text), CTL_STYLE_PLAIN);
}

guint
ctl_table_n_rows (CtlTable *table)
{
  return table->cells->len / table->n_columns;
}

static const Cell *
cell_at (CtlTable *table, guint row, guint column)
{
  return &g_array_index (table->cells, Cell, row * table->n_columns + column);
}

static char *
format_json (CtlTable *table)
{
  GString *json = g_string_new ("[");

  for (guint row = 0; row < ctl_table_n_rows (table); row++)
    {
      g_string_append (json, row > 0 ? ",\n  {" : "\n  {");
      for (guint column = 0; column < table->n_columns; column++)
        {
          if (column > 0)
            g_string_append (json, ", ");
          ctl_json_append_string (json, table->columns[column].key);
          g_string_append (json, ": ");
          ctl_json_append_value (json, cell_at (table, row, column)->value);
        }
      g_string_append_c (json, '}');
    }
  g_string_append (json, ctl_table_n_rows (table) > 0 ? "\n]\n" : "]\n");
  return g_string_free (json, FALSE);
}

/* The width of each column, those that may shrink cut evenly until all fit into @look. */
static int *
measure (CtlTable *table, const CtlLook *look)
{
  int *widths = g_new0 (int, table->n_columns);
  int total = -GAP;

  for (guint column = 0; column < table->n_columns; column++)
    {
      if (table->columns[column].title == NULL)
        continue;
      widths[column] = ctl_text_width (table->columns[column].title);
      for (guint row = 0; row < ctl_table_n_rows (table); row++)
        widths[column] = MAX (widths[column], ctl_text_width (cell_at (table, row, column)->shown));
      total += widths[column] + GAP;
    }
  while (look->width > 0 && total > look->width)
    {
      int widest = -1;

      for (guint column = 0; column < table->n_columns; column++)
        if (table->columns[column].shrink && widths[column] > LEAST_WIDTH &&
            (widest < 0 || widths[column] > widths[widest]))
          widest = (int) column;
      if (widest < 0)
        break;
      widths[widest]--;
      total--;
    }
  return widths;
}

const char *
ctl_style_begin (CtlStyle style, gboolean colour)
{
  static const char *const codes[] = {
    [CTL_STYLE_PLAIN] = "",        [CTL_STYLE_GOOD] = "\033[32m", [CTL_STYLE_BUSY] = "\033[36m",
    [CTL_STYLE_WARN] = "\033[33m", [CTL_STYLE_BAD] = "\033[31m",  [CTL_STYLE_DIM] = "\033[2m",
    [CTL_STYLE_BOLD] = "\033[1m"
  };

  return colour ? codes[style] : "";
}

const char *
ctl_style_end (CtlStyle style, gboolean colour)
{
  return colour && style != CTL_STYLE_PLAIN ? "\033[0m" : "";
}

static void
append_cell (GString *line,
             const CtlColumn *column,
             const char *shown,
             CtlStyle style,
             int width,
             const CtlLook *look)
{
  g_autofree char *fitted = ctl_text_fit (shown, width, look->unicode);
  GString *padded = g_string_new (NULL);

  if (line->len > 0)
    g_string_append_printf (line, "%*s", GAP, "");
  ctl_text_pad (padded, fitted, width, column->right);
  g_string_append (line, ctl_style_begin (style, look->colour));
  g_string_append (line, padded->str);
  g_string_append (line, ctl_style_end (style, look->colour));
  g_string_free (padded, TRUE);
}

static void
append_line (GString *text, GString *line)
{
  /* no blanks after the last cell */
  while (line->len > 0 && line->str[line->len - 1] == ' ')
    g_string_truncate (line, line->len - 1);
  g_string_append (text, line->str);
  g_string_append_c (text, '\n');
  g_string_truncate (line, 0);
}

char *
ctl_table_format (CtlTable *table, const CtlLook *look)
{
  GString *text = g_string_new (NULL);
  g_autoptr (GString) line = g_string_new (NULL);
  g_autofree int *widths = NULL;

  if (look->json)
    {
      g_string_free (text, TRUE);
      return format_json (table);
    }
  if (ctl_table_n_rows (table) == 0)
    return g_string_free (text, FALSE);
  widths = measure (table, look);
  for (guint column = 0; column < table->n_columns; column++)
    if (table->columns[column].title != NULL)
      append_cell (line, &table->columns[column], table->columns[column].title, CTL_STYLE_BOLD,
                   widths[column], look);
  append_line (text, line);
  for (guint row = 0; row < ctl_table_n_rows (table); row++)
    {
      for (guint column = 0; column < table->n_columns; column++)
        if (table->columns[column].title != NULL)
          append_cell (line, &table->columns[column], cell_at (table, row, column)->shown,
                       cell_at (table, row, column)->style, widths[column], look);
      append_line (text, line);
    }
  return g_string_free (text, FALSE);
}
