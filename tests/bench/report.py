# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Results as text: lines, a table, docs/performance.md, two commits side by side."""
import json
import os

import machine
import svg
from registry import ROWS

DOCUMENT = os.path.join(machine.SOURCE, 'docs', 'performance.md')
PLOT = os.path.join(machine.SOURCE, 'docs', 'performance', 'rows.svg')
HISTORY = os.path.join(machine.SOURCE, 'tests', 'bench', 'history')
BEGIN, END = '<!-- begin: ./dev bench --write -->', '<!-- end -->'


def number(value):
    if value == 0:
        return '0'
    if abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}' if abs(value) < 10 else f'{value:.1f}'


def figure(target):
    """“wall 0.47 (0.41–0.52), to be ≤ 0.60: met”"""
    sign = '≥' if target['at_least'] else '≤'
    name = target['unit'] or target['metric']
    return (f'{name} {number(target["median"])} ({number(target["min"])}–{number(target["max"])}), '
            f'to be {sign} {number(target["goal"])}: {"met" if target["met"] else "MISSED"}'
            + (' (noisy)' if target.get('noisy') else ''))


def line(name, row):
    if 'failed' in row:
        return f'{name}: FAILED: {row["failed"]}'
    if 'skipped' in row:
        return f'{name}: not measured: {row["skipped"]}'
    return f'{name}: ' + '; '.join(figure(target) for target in row['targets'])


def absolutes(row):
    """What each contestant has taken, for those who do not trust ratios."""
    return '; '.join(
        f'{name}: ' + ', '.join(f'{metric} {number(value["median"])}'
                                for metric, value in metrics.items())
        for name, metrics in row['contestants'].items())


def heading(result):
    machine = ', '.join(f'{key} {value}' for key, value in result['machine'].items())
    versions = ', '.join(f'{key} {value}' for key, value in result['versions'].items())
    changed = ' and changes' if result['changed'] else ''
    return (f'commit {result["commit"]}{changed}; {machine}; load at the beginning '
            f'{result["load"][0]:.1f}\n{versions}')


def table(result):
    lines = [heading(result), '']
    lines += [line(name, row) for name, row in result['rows'].items()]
    noisy = noisy_rows(result)
    if noisy:
        lines += ['', f'noisy (the highest is more than twice the lowest): {", ".join(noisy)}']
    lines += ['', f'{result["seconds"]:.0f} s; load at the end {os.getloadavg()[0]:.1f}']
    return '\n'.join(lines)


def noisy_rows(result):
    return [name for name, row in result['rows'].items()
            if any(target.get('noisy') for target in row.get('targets', []))]


def read(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


def compare(before, after):
    """The rows that both files have, and how the medians have changed."""
    old, new = read(before), read(after)
    lines = [f'{old["commit"]} → {new["commit"]}']
    for name, row in new['rows'].items():
        for target in row.get('targets', []):
            for other in old['rows'].get(name, {}).get('targets', []):
                if other['metric'] == target['metric']:
                    change = (target['median'] / other['median'] - 1) * 100 if other['median'] else 0
                    lines.append(f'{name:18} {target["metric"]:12} {number(other["median"]):>9} → '
                                 f'{number(target["median"]):>9}  {change:+.0f} %')
    return '\n'.join(lines)


def goal(target):
    return f'{"≥" if target["at_least"] else "≤"} {number(target["goal"])}'


def markdown(result):
    """The table of the document."""
    lines = [heading(result).replace('\n', '; '), '',
             '| row | work | against | figure | to be | median (lowest–highest) | |',
             '|---|---|---|---|---|---|---|']
    for name, row in result['rows'].items():
        for target in row.get('targets', []):
            kind = target['unit'] or ('ratio of ' + target['metric'])
            lines.append(
                f'| {name} | {row["work"]} | {row["against"]} | {kind} | {goal(target)} | '
                f'{number(target["median"])} ({number(target["min"])}–{number(target["max"])}) | '
                f'{"met" if target["met"] else "**missed**"}{", noisy" if target.get("noisy") else ""} |')
            name = row['work'] = row['against'] = ''
    lines += ['', 'What each took (medians):', '']
    lines += [f'- {name}, load {row["load"]:.1f}, {row["rounds"]} rounds in {row.get("seconds", 0):.0f} s'
              f'{", commit " + row["commit"] if "commit" in row else ""}: {absolutes(row)}'
              for name, row in result['rows'].items() if 'contestants' in row]
    noisy = noisy_rows(result)
    if noisy:
        lines += ['', f'Noisy, the highest is more than twice the lowest: {", ".join(noisy)}.']
    return '\n'.join(lines)


def newest():
    """What was written last; nothing if nothing was."""
    files = [read(os.path.join(HISTORY, name)) for name in os.listdir(HISTORY)] \
        if os.path.isdir(HISTORY) else []
    return max(files, key=lambda file: file.get('time', ''), default={'rows': {}})


def completed(result):
    """The result with the rows that others have measured, which say of what commit they are."""
    last, rows = newest(), {}
    for row in ROWS:
        for one in result, last:
            if 'targets' in one['rows'].get(row.name, {}):
                rows[row.name] = dict(one['rows'][row.name])
                if one is last and last['commit'] != result['commit']:
                    rows[row.name].setdefault('commit', last['commit'])
                break
    return result | {'rows': rows}


def write(result):
    """Replaces the table and the plot of the document, and adds a file to the history."""
    result = completed(result)
    os.makedirs(os.path.dirname(PLOT), exist_ok=True)
    with open(PLOT, 'w', encoding='utf-8') as file:
        file.write(svg.bars([
            (f'{name}: {target["unit"] or target["metric"]}', target['median'], target['min'],
             target['max'], target['goal'], target['at_least'], target['met'])
            for name, row in result['rows'].items() for target in row.get('targets', [])]))
    os.makedirs(HISTORY, exist_ok=True)
    commit, date = (result['commit'].split() + ['unknown', ''])[:2]
    with open(os.path.join(HISTORY, f'{date}-{commit}.json'), 'w', encoding='utf-8') as file:
        json.dump(result, file, indent=1, ensure_ascii=False)
        file.write('\n')
    with open(DOCUMENT, encoding='utf-8') as file:
        before, _, rest = file.read().partition(BEGIN)
    after = rest.partition(END)[2]
    with open(DOCUMENT, 'w', encoding='utf-8') as file:
        file.write(f'{before}{BEGIN}\n\n{markdown(result)}\n\n{END}{after}')
