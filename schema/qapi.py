# SPDX-License-Identifier: LGPL-2.1-or-later
"""The QAPI schema language, as far as bootzero.json uses it.

Run at build time it writes the answer to query-qmp-schema as a C header; tests import it.
"""
import ast
import json
import re
import sys

BUILTINS = {  # name: (JSON type, Python's test)
    'str': ('string', lambda v: isinstance(v, str)),
    'bool': ('boolean', lambda v: isinstance(v, bool)),
    'int': ('int', lambda v: is_int(v) and -2**63 <= v < 2**63),
    'uint64': ('int', lambda v: is_int(v) and 0 <= v < 2**64),
    'null': ('null', lambda v: v is None),
}
KINDS = ('enum', 'struct', 'union', 'event', 'command')


class SchemaError(Exception):
    """The schema is wrong."""


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


class Schema:
    """Entities by name, each a dict as written, with 'kind' and 'name' added."""

    def __init__(self, text):
        self.entities = {}
        for doc, expression in split(text):
            kind = next((k for k in KINDS if k in expression), None)
            if kind is None:
                raise SchemaError(f"unknown kind of entity: {expression}")
            entity = dict(expression, kind=kind, name=expression[kind])
            if entity['name'] in self.entities:
                raise SchemaError(f"'{entity['name']}' is defined twice")
            check_documentation(entity, doc)
            self.entities[entity['name']] = entity
        for entity in self.entities.values():
            for used in types_used(entity):
                self.check_type(used, entity['name'])

    def check_type(self, used, where):
        if isinstance(used, list):
            used = used[0]
        if used not in BUILTINS and self.entities.get(used, {}).get('kind') not in ('enum', 'struct', 'union'):
            raise SchemaError(f"'{where}' uses the unknown type '{used}'")

    def named(self, kind):
        return [e for e in self.entities.values() if e['kind'] == kind]

    # --- validation: each function returns nothing or raises ValueError with the place of the mistake

    def validate(self, value, used, where='value'):
        if isinstance(used, list):
            expect(isinstance(value, list), where, 'an array', value)
            for i, item in enumerate(value):
                self.validate(item, used[0], f'{where}[{i}]')
        elif used in BUILTINS:
            expect(BUILTINS[used][1](value), where, used, value)
        elif self.entities[used]['kind'] == 'enum':
            expect(value in self.entities[used]['data'], where, f'one of {self.entities[used]["data"]}', value)
        else:
            self.validate_members(value, self.members(self.entities[used], value), where)

    def validate_members(self, value, members, where):
        expect(isinstance(value, dict), where, 'an object', value)
        for member, used in members.items():
            name = member.lstrip('*')
            if name in value:
                self.validate(value[name], used, f'{where}.{name}')
            elif not member.startswith('*'):
                raise ValueError(f"{where}: '{name}' is missing")
        for name in value:
            if name not in members and '*' + name not in members:
                raise ValueError(f"{where}: '{name}' is not in the schema")

    def members(self, entity, value=None):
        """Of a struct, an event, a command's arguments; of a union, those that this value has to have."""
        if entity['kind'] != 'union':
            return entity.get('data', {})
        members = dict(entity['base'])
        tag = value.get(entity['discriminator']) if isinstance(value, dict) else None
        if tag in entity['data']:
            members.update(self.entities[entity['data'][tag]]['data'])
        return members

    def validate_event(self, message):
        """A whole message, as it came."""
        entity = self.entities.get(message.get('event'), {})
        if entity.get('kind') != 'event':
            raise ValueError(f"no such event: {message}")
        expect(set(message) == {'event', 'data', 'timestamp'}, 'event', 'event, data and timestamp', message)
        self.validate_members(message['timestamp'], {'seconds': 'int', 'microseconds': 'int'}, 'timestamp')
        self.validate_members(message['data'], self.members(entity), message['event'])

    def validate_return(self, command, value):
        returns = self.entities[command].get('returns')
        if returns is None:
            expect(value == {}, command, 'an empty object', value)
        else:
            self.validate(value, returns, command)

    # --- introspection

    def introspect(self):
        """The list query-qmp-schema gives. Names of types are no interface: they are replaced by numbers."""
        numbers = {}
        out = []

        def reference(used):
            if isinstance(used, list):
                return '[' + reference(used[0]) + ']'
            if used in BUILTINS:
                return 'int' if BUILTINS[used][0] == 'int' else used
            return str(numbers.setdefault(used, len(numbers)))

        def member_list(members):
            listed = []
            for member, used in members.items():
                info = {'name': member.lstrip('*'), 'type': reference(used)}
                if member.startswith('*'):
                    info['default'] = None
                listed.append(info)
            return listed

        arguments = {}  # argument objects have no name in the schema
        for entity in self.named('command') + self.named('event'):
            key = 'arguments of ' + entity['name'] if entity.get('data') else 'nothing'
            arguments[key] = entity.get('data', {})
            info = {'name': entity['name'], 'meta-type': entity['kind'], 'arg-type': reference(key)}
            if entity['kind'] == 'command':
                arguments.setdefault('nothing', {})
                info['ret-type'] = reference(entity.get('returns', 'nothing'))
            out.append(info)

        done, arrays = set(), set()
        while len(done) < len(numbers):
            name = next(n for n in numbers if n not in done)
            done.add(name)
            info = {'name': reference(name)}
            if name in arguments:
                info.update({'meta-type': 'object', 'members': member_list(arguments[name])})
            elif self.entities[name]['kind'] == 'enum':
                values = self.entities[name]['data']
                info.update({'meta-type': 'enum', 'members': [{'name': v} for v in values], 'values': values})
            elif self.entities[name]['kind'] == 'struct':
                info.update({'meta-type': 'object', 'members': member_list(self.entities[name]['data'])})
            else:
                union = self.entities[name]
                variants = [{'case': case, 'type': reference(used)} for case, used in union['data'].items()]
                info.update({'meta-type': 'object', 'members': member_list(union['base']),
                             'tag': union['discriminator'], 'variants': variants})
            out.append(info)
        for info in list(out):
            for used in [info.get('ret-type', '')] + [m.get('type', '') for m in info.get('members', [])]:
                if used.startswith('[') and used not in arrays:
                    arrays.add(used)
                    out.append({'name': used, 'meta-type': 'array', 'element-type': used[1:-1]})
        for name, (json_type, _) in BUILTINS.items():
            if reference(name) == name:
                out.append({'name': name, 'meta-type': 'builtin', 'json-type': json_type})
        return out


def expect(good, where, wanted, value):
    if not good:
        raise ValueError(f'{where}: expected {wanted}, got {value!r}')


def split(text):
    """Yields (documentation lines, expression) for each entity."""
    doc, lines, in_doc = [], [], False
    for number, line in enumerate(text.splitlines(), 1):
        if line == '##':
            in_doc = not in_doc
            if in_doc:
                doc = []
        elif line.startswith('#'):
            if in_doc:
                doc.append(line[1:].strip())
        elif line.strip():
            if in_doc:
                raise SchemaError(f'line {number}: documentation without end')
            lines.append(line)
            joined = '\n'.join(lines)
            # no name or text of the schema has a brace in it
            if joined.count('{') == joined.count('}'):
                try:
                    yield doc, ast.literal_eval(joined)
                except (SyntaxError, ValueError) as why:
                    raise SchemaError(f'line {number}: {why}') from why
                doc, lines = [], []
    if lines:
        raise SchemaError('the last entity has no end')


def check_documentation(entity, doc):
    """Every entity and member is documented, and nothing else."""
    name = entity['name']
    named = [m.group(1) for m in (re.match(r'@([^ :]+):', line) for line in doc) if m]
    if not named or named[0] != name:
        raise SchemaError(f"'{name}' is not documented")
    members = entity.get('base', entity.get('data', {}))
    wanted = [m.lstrip('*') for m in members]
    if sorted(named[1:]) != sorted(wanted):
        raise SchemaError(f"'{name}': documented are {named[1:]}, there are {wanted}")
    if not any(line.startswith('Since: ') for line in doc):
        raise SchemaError(f"'{name}' lacks 'Since:'")


def types_used(entity):
    if entity['kind'] == 'enum':
        return []
    used = list(entity.get('data', {}).values()) + list(entity.get('base', {}).values())
    return used + ([entity['returns']] if 'returns' in entity else [])


def load(path):
    with open(path, encoding='utf-8') as file:
        return Schema(file.read())


def main():
    schema = load(sys.argv[1])
    text = json.dumps(schema.introspect()).replace('\\', '\\\\').replace('"', '\\"')
    # no escape is cut in two: no piece ends in a backslash
    pieces = re.findall(r'.{1,100}[^\\]|.+', text)
    with open(sys.argv[2], 'w', encoding='utf-8') as out:
        out.write('/* Made from schema/bootzero.json. */\n#define BZ_QMP_SCHEMA \\\n')
        out.write(' \\\n'.join(f'    "{piece}"' for piece in pieces) + '\n')


if __name__ == '__main__':
    main()
