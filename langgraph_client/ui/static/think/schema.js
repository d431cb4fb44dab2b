// What a form for a JSON schema asks for.
import { readJson } from './json.js';

// Returns [{name, kind, title, description, required, options, default}], or null where the schema
// describes no object whose fields can be asked for.
export function fieldsOf(schema) {
  const root = resolve(schema, schema);
  if (!root?.properties || !Object.keys(root.properties).length) return null;
  return Object.entries(root.properties).map(([name, given]) => {
    const field = plain(resolve(given, schema), schema);
    return {
      name,
      title: field.title && field.title.toLowerCase().replaceAll(' ', '_') !== name ? field.title : name,
      description: given.description ?? field.description ?? '',
      required: root.required?.includes(name) ?? false,
      options: field.enum ?? null,
      default: given.default ?? field.default,
      kind: kindOf(name, field, schema),
    };
  });
}

function kindOf(name, field, schema) {
  if (field.enum) return 'choice';
  if (isMessages(name, field, schema)) return 'messages';
  if (['string', 'integer', 'number', 'boolean'].includes(field.type)) return field.type;
  return 'json';
}

function isMessages(name, field, schema) {
  if (field.type !== 'array') return false;
  const items = JSON.stringify(field.items ?? {});
  return /(Human|AI|Chat)Message|AnyMessage|BaseMessage/.test(items) || (name === 'messages' && /Message/.test(JSON.stringify(schema.$defs ?? {})));
}

function resolve(field, schema) {
  const name = /^#\/(\$defs|definitions)\/(.+)$/.exec(field?.$ref ?? '');
  return name ? { ...schema[name[1]]?.[name[2]], ...field, $ref: undefined } : field;
}

// A field that may also be null is one of the other kind.
function plain(field, schema) {
  const kinds = (field?.anyOf ?? []).filter((kind) => kind.type !== 'null');
  return kinds.length === 1 ? { ...field, ...resolve(kinds[0], schema) } : field ?? {};
}

// The value that a field's text stands for; undefined where nothing was given.
export function valueOf(field, given) {
  if (given === undefined || given === '') return undefined;
  if (field.kind === 'boolean' || field.kind === 'string') return given;
  if (field.kind === 'choice') return field.options.find((option) => String(option) === given);
  if (field.kind === 'messages') return [{ type: 'human', content: given }];
  if (field.kind === 'json') return readJson(given);
  const number = Number(given);
  if (!Number.isFinite(number)) throw new Error(`${field.name} has to be a number`);
  if (field.kind === 'integer' && !Number.isInteger(number)) throw new Error(`${field.name} has to be a whole number`);
  if (field.kind === 'integer' && Number.isSafeInteger(number)) return number;
  try {
    return readJson(given);
  } catch {
    return number; // Such as +1.5, which JSON does not have.
  }
}
