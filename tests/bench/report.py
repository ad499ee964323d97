# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Results as text: lines, a table, docs/performance.md, two commits side by side."""
import json


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
            f'to be {sign} {number(target["goal"])}: {"met" if target["met"] else "MISSED"}')


def line(name, row):
    if 'failed' in row:
        return f'{name}: FAILED: {row["failed"]}'
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
    lines += ['', f'{result["seconds"]:.0f} s']
    return '\n'.join(lines)


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
