#!/usr/bin/env python3
"""The layer rules of layers.txt, over every #include: nothing points up, nothing sideways that is not listed, build side and site side
never meet, and a private header stays with its module."""
import lint


def modules():
    rows = {}
    for name, layer, side, directory, headers, beside in lint.table('layers.txt'):
        rows[name] = {'layer': int(layer), 'side': side, 'directory': directory,
                      'headers': [] if headers == '-' else headers.split(','), 'beside': [] if beside == '-' else beside.split(',')}
    return rows


def refusal(rows, user, used):
    """Why user may not include used, or None."""
    a, b = rows[user], rows[used]
    if user == used:
        return None
    if a['side'] in ('build', 'site') and b['side'] not in ('both', a['side']):
        return f'{user} ({a["side"]} side) includes {used} ({b["side"]} side)'
    if b['layer'] > a['layer']:
        return f'{user} (layer {a["layer"]}) includes {used} (layer {b["layer"]}) above it'
    if b['layer'] == a['layer'] and used not in a['beside']:
        return f'{user} includes {used} beside it, which layers.txt does not list'
    if a['side'] == 'both' and b['side'] != 'both':
        return f'{user} (both sides) includes {used} ({b["side"]} side)'
    return None


def check(root):
    rows = modules()
    owner = {header: name for name, row in rows.items() for header in row['headers']}
    for path in lint.c_files(root):
        folder = path.parent.as_posix()
        if folder == 'include/gapship':
            user = owner.get(path.stem)
            if user is None:
                yield path, 1, f'header {path.name} belongs to no module of layers.txt'
                continue
        else:
            user = next((name for name, row in rows.items() if row['directory'] == folder), None)
            if user is None:
                yield path, 1, f'directory {folder} is no module of layers.txt'
                continue
        for line, mark, name in lint.includes(root / path):
            if not name.startswith('gapship/'):
                if mark == '"' and (folder == 'include/gapship' or '/' in name or not (root / folder / name).exists()):
                    yield path, line, f'private header "{name}" does not stand beside this file'
                continue
            used = owner.get(name.removeprefix('gapship/').removesuffix('.h'))
            why = refusal(rows, user, used) if used else f'header {name} belongs to no module of layers.txt'
            if why:
                yield path, line, why


lint.run(check, __doc__)
