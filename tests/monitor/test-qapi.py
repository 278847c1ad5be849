# SPDX-License-Identifier: LGPL-2.1-or-later
"""The schema, and the reader of it that the other tests judge messages by."""
import os
import unittest

import qapi

PATH = os.path.join(os.environ['BOOTZERO_SOURCE'], 'schema', 'bootzero.json')
DOMAIN = {'name': 'win11', 'uuid': '4dea22b3-1d52-d8f3-2516-782e98ab3fa0'}
CHANGE = {'event': '__bootzero_TRACKING_CHANGE', 'timestamp': {'seconds': 1, 'microseconds': 2},
          'data': {'state': 'armed', 'generation': 1, 'provider': 'preload', 'domain': DOMAIN}}


def documented(name, *members):
    lines = [f'# @{name}:'] + [f'# @{m}: text' for m in members] + ['# Since: 0.1']
    return '##\n' + '\n'.join(lines) + '\n##\n'


def changed(**data):
    """The good event with other data; ... takes a member away."""
    data = {**CHANGE['data'], **data}
    return dict(CHANGE, data={k: v for k, v in data.items() if v is not ...})


class TestSchema(unittest.TestCase):
    def setUp(self):
        self.schema = qapi.load(PATH)

    def test_good_messages(self):
        self.schema.validate_event(CHANGE)
        self.schema.validate_event(changed(reason='reset'))
        self.schema.validate_return('qmp_capabilities', {})
        self.schema.validate_return('query-commands', [{'name': 'x'}])

    def test_bad_messages(self):
        for bad, why in ((changed(state='on'), 'state: expected one of'),
                         (changed(state=...), "'state' is missing"),
                         (changed(more=1), "'more' is not in the schema"),
                         (changed(generation=-1), 'generation: expected uint64'),
                         (changed(generation=2**64), 'generation: expected uint64'),
                         (changed(generation=True), 'generation: expected uint64'),
                         (changed(domain='win11'), 'domain: expected an object'),
                         (dict(CHANGE, event='RESET'), 'no such event'),
                         (dict(CHANGE, timestamp={'seconds': 1}), "'microseconds' is missing")):
            with self.assertRaisesRegex(ValueError, why):
                self.schema.validate_event(bad)
        with self.assertRaisesRegex(ValueError, 'expected an empty object'):
            self.schema.validate_return('qmp_capabilities', [])

    def test_bad_schemas(self):
        for text, why in (("{ 'enum': 'A', 'data': [ 'x' ] }", 'not documented'),
                          (documented('A') + "{ 'enum': 'A', 'data': [ 'x' ] }", 'documented are'),
                          (documented('A', 'x', 'y') + "{ 'enum': 'A', 'data': [ 'x' ] }", 'documented are'),
                          (documented('A', 'x') + "{ 'struct': 'A', 'data': { 'x': 'B' } }", "unknown type 'B'"),
                          (documented('A') + "{ 'thing': 'A' }", 'unknown kind'),
                          (documented('A') + "{ 'struct': 'A'", 'no end'),
                          ("##\n# @A:\n{ 'enum': 'A', 'data': [] }", 'documentation without end')):
            with self.assertRaisesRegex(qapi.SchemaError, why):
                qapi.Schema(text)

    def test_introspection_describes_itself(self):
        entities = self.schema.introspect()
        self.schema.validate_return('query-qmp-schema', entities)
        by_name = {e['name']: e for e in entities}
        self.assertEqual(len(by_name), len(entities))
        for entity in entities:
            used = [entity.get(k) for k in ('arg-type', 'ret-type', 'element-type')]
            used += [m['type'] for m in entity.get('members', []) if 'type' in m]
            used += [v['type'] for v in entity.get('variants', [])]
            for name in filter(None, used):
                self.assertIn(name, by_name)
        self.assertEqual(by_name['__bootzero_TRACKING_CHANGE']['meta-type'], 'event')
        returned = by_name[by_name['__bootzero_query-tracking']['ret-type']]
        self.assertEqual(returned['meta-type'], 'array')
        guest = {m['name']: m for m in by_name[returned['element-type']]['members']}
        self.assertIn('default', guest['reason'])
        self.assertNotIn('default', guest['state'])

    def test_own_names_have_the_prefix(self):
        protocol = {'qmp_capabilities', 'query-version', 'query-commands', 'query-qmp-schema'}
        for entity in self.schema.named('command'):
            self.assertTrue(entity['name'] in protocol or entity['name'].startswith('__bootzero_'), entity['name'])
        for entity in self.schema.named('event'):
            self.assertRegex(entity['name'], '^__bootzero_[A-Z_]+$')


if __name__ == '__main__':
    unittest.main()
