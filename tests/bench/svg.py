# SPDX-License-Identifier: LGPL-2.1-or-later
# SPDX-FileCopyrightText: 2026 The transferd authors
"""Plots as SVG: bars of ratios against what they are to be, growth curves, flame graphs."""
import html
import math

WIDTH, LEFT, BAR = 900, 300, 16
GOOD, BAD, GOAL = '#3a7d44', '#b5462f', '#333333'
STYLE = 'font: 11px sans-serif'


def text(x, y, words, anchor='start'):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(words)}</text>'


def document(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:.0f}" '
            f'style="{STYLE}; background: white">\n' + '\n'.join(parts) + '\n</svg>\n')


def bars(rows):
    """(label, median, minimum, maximum, goal, at_least, met) of each: the share of the goal."""
    parts, y = [], 24
    most = 2.5
    scale = (WIDTH - LEFT - 60) / most
    goal_x = LEFT + scale
    for label, median, low, high, goal, at_least, met in rows:
        def share(value, goal=goal, at_least=at_least):
            if goal == 0:
                return 0 if value == 0 else most
            return min(most, goal / value if at_least and value else value / goal)
        x = [LEFT + scale * share(value) for value in (low, median, high)]
        middle = y + BAR / 2
        parts += [
            text(LEFT - 8, y + 12, label, 'end'),
            f'<rect x="{LEFT}" y="{y}" width="{max(1, x[1] - LEFT):.1f}" height="{BAR}" '
            f'fill="{GOOD if met else BAD}"/>',
            f'<path d="M{min(x):.1f} {middle} H{max(x):.1f}" stroke="black"/>',
            text(max(max(x), x[1]) + 5, y + 12, f'{median:.3g}')]
        y += BAR + 6
    parts += [f'<path d="M{goal_x:.1f} 16 V{y}" stroke="{GOAL}" stroke-dasharray="4 3"/>',
              text(goal_x, 12, 'the goal', 'middle')]
    return document(WIDTH, y + 10, parts)


def curves(series, across, up):
    """{name: [(x, y)]} on logarithmic axes; the dotted line is linear growth."""
    points = [point for many in series.values() for point in many if point[1] > 0]
    low_x, high_x = (f(math.log10(x) for x, _ in points) for f in (min, max))
    low_y, high_y = (f(math.log10(y) for _, y in points) for f in (min, max))
    height, colours = 420, ('#3a7d44', '#b5462f', '#2f5fb5', '#8a5fb0', '#b08a2f', '#2fa3a3')

    def place(x, y):
        return (70 + (math.log10(x) - low_x) / max(1e-9, high_x - low_x) * 560,
                height - 50 - (math.log10(y) - low_y) / max(1e-9, high_y - low_y) * (height - 90))
    parts = [f'<path d="M70 40 V{height - 50} H640" stroke="black" fill="none"/>',
             text(355, height - 12, across, 'middle'), text(70, 28, up)]
    for power in range(math.ceil(low_x), math.floor(high_x) + 1):
        x, _ = place(10 ** power, 10 ** low_y)
        parts.append(text(x, height - 34, f'{10 ** power:,}', 'middle'))
    for power in range(math.ceil(low_y), math.floor(high_y) + 1):
        _, y = place(10 ** low_x, 10 ** power)
        parts.append(text(64, y + 4, f'{10 ** power:g}', 'end'))
    for number, (name, many) in enumerate(series.items()):
        colour = colours[number % len(colours)]
        line = ' '.join('%.1f,%.1f' % place(x, y) for x, y in many if y > 0)
        parts += [f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>',
                  f'<rect x="660" y="{40 + 18 * number}" width="10" height="10" fill="{colour}"/>',
                  text(676, 49 + 18 * number, name)]
    return document(WIDTH, height, parts)


def flame(stacks, title):
    """{(outermost, …, innermost): samples} as a flame graph that needs no script."""
    root = {'count': 0, 'calls': {}}
    for stack, count in stacks.items():
        node = root
        node['count'] += count
        for name in stack:
            node = node['calls'].setdefault(name, {'count': 0, 'calls': {}})
            node['count'] += count
    total = max(1, root['count'])
    parts, deepest = [], 0

    def draw(node, x, depth):
        nonlocal deepest
        for name, call in sorted(node['calls'].items()):
            width = WIDTH * call['count'] / total
            if width >= 1.2:
                deepest = max(deepest, depth)
                tint = sum(map(ord, name)) % 60
                share = 100 * call['count'] / total
                parts.append((x, depth, width, name, share, f'rgb({225 - tint},{130 + tint},70)'))
                draw(call, x, depth + 1)
            x += width
    draw(root, 0, 0)
    height = 30 + (deepest + 1) * 15
    shapes = [text(4, 14, title)]
    for x, depth, width, name, share, colour in parts:
        y = height - 15 - depth * 15
        shown = html.escape(name[:int(width / 6)]) if width > 24 else ''
        shapes.append(f'<g><title>{html.escape(name)} {share:.1f} %</title>'
                      f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="14" fill="{colour}"/>'
                      f'<text x="{x + 2:.1f}" y="{y + 11}" font-size="9">{shown}</text></g>')
    return document(WIDTH, height, shapes)
