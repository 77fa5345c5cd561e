import { MAX_VALUE_DEPTH, newAttributes, type OtlpItem, type OtlpKind, SERVER } from './otlp-item.ts';
import { BYTES, FIXED64, ProtobufReader, VARINT } from './protobuf-reader.ts';
import { Refusal } from './refusal.ts';

/**
 * Field numbers of opentelemetry/proto: an export has field 1 (resource groups), a group 1 = resource and 2 = scopes,
 * a scope 2 = spans or log records. Everything else is skipped, known or not.
 */
export function* otlpItemsOfProtobuf(body: Buffer, kind: OtlpKind): Generator<OtlpItem | Refusal> {
  const request = new ProtobufReader(body);
  while (request.next()) {
    if (request.field === 1 && request.type === BYTES) yield* itemsOfGroup(request.message(), kind);
    else request.skip();
  }
  // Lengths are nested: damage in a span stays in that span, damage around it ends the level it is on.
  if (request.isBroken) yield new Refusal('', 'the protobuf message is cut off or malformed');
}

function* itemsOfGroup(group: ProtobufReader, kind: OtlpKind): Generator<OtlpItem | Refusal> {
  // The resource precedes its scopes in every encoder; only its attributes are needed.
  let resource = newAttributes();
  while (group.next()) {
    if (group.type !== BYTES) group.skip();
    else if (group.field === 1) resource = attributesIn(group.message(), 1);
    else if (group.field === 2) yield* itemsOfScope(group.message(), resource, kind);
    else group.skip();
  }
  if (group.isBroken) yield new Refusal('', 'a resource group is cut off or malformed');
}

function* itemsOfScope(
  scope: ProtobufReader,
  resource: Record<string, unknown>,
  kind: OtlpKind,
): Generator<OtlpItem | Refusal> {
  while (scope.next()) {
    if (scope.field !== 2 || scope.type !== BYTES) {
      scope.skip();
      continue;
    }
    const reader = scope.message();
    if (scope.isBroken) break;
    const item = newItem(resource);
    if (kind === 'traces') readSpan(reader, item);
    else readLogRecord(reader, item);
    yield reader.isBroken ? new Refusal('', 'the entry is malformed') : item;
  }
  if (scope.isBroken) yield new Refusal('', 'a scope is cut off or malformed');
}

function newItem(resource: Record<string, unknown>): OtlpItem {
  const attributes = newAttributes();
  attributes.resource = resource;
  return { attributes, traceId: '', spanId: '', kind: 0, startNs: 0, endNs: 0, body: undefined };
}

function readSpan(reader: ProtobufReader, item: OtlpItem): void {
  while (reader.next()) {
    const { field, type } = reader;
    if (field === 9 && type === BYTES) {
      // The kind precedes the attributes: what will be skipped is not read.
      if (item.kind === 0 || item.kind === SERVER) readAttribute(reader.message(), item.attributes, 0);
      else reader.skip();
    } else if (field === 7 && type === FIXED64) item.startNs = reader.fixed64();
    else if (field === 8 && type === FIXED64) item.endNs = reader.fixed64();
    else if (field === 6 && type === VARINT) item.kind = reader.varint();
    else if (field === 1 && type === BYTES) item.traceId = reader.hex();
    else if (field === 2 && type === BYTES) item.spanId = reader.hex();
    else reader.skip();
  }
}

function readLogRecord(reader: ProtobufReader, item: OtlpItem): void {
  let observedNs = 0;
  while (reader.next()) {
    const { field, type } = reader;
    if (field === 6 && type === BYTES) readAttribute(reader.message(), item.attributes, 0);
    else if (field === 1 && type === FIXED64) item.startNs = reader.fixed64();
    else if (field === 11 && type === FIXED64) observedNs = reader.fixed64();
    else if (field === 5 && type === BYTES) item.body = readValue(reader.message(), 0);
    else if (field === 9 && type === BYTES) item.traceId = reader.hex();
    else if (field === 10 && type === BYTES) item.spanId = reader.hex();
    else reader.skip();
  }
  item.startNs ||= observedNs;
}

/** The `attributes` of a resource (field 1) or the pairs of a list of pairs. */
function attributesIn(reader: ProtobufReader, depth: number): Record<string, unknown> {
  const attributes = newAttributes();
  while (reader.next()) {
    if (reader.field === 1 && reader.type === BYTES) readAttribute(reader.message(), attributes, depth);
    else reader.skip();
  }
  return attributes;
}

function readAttribute(reader: ProtobufReader, attributes: Record<string, unknown>, depth: number): void {
  let name = '';
  let value: unknown;
  while (reader.next()) {
    if (reader.field === 1 && reader.type === BYTES) name = reader.text();
    else if (reader.field === 2 && reader.type === BYTES) value = readValue(reader.message(), depth);
    else reader.skip();
  }
  if (name !== '') attributes[name] = value;
}

function readValue(reader: ProtobufReader, depth: number): unknown {
  let value: unknown;
  while (reader.next()) {
    const { field, type } = reader;
    if (field === 1 && type === BYTES) value = reader.text();
    else if (field === 2 && type === VARINT) value = reader.varint() !== 0;
    else if (field === 3 && type === VARINT) value = reader.int64();
    else if (field === 4 && type === FIXED64) value = reader.double();
    else if (field === 5 && type === BYTES && depth < MAX_VALUE_DEPTH) value = readList(reader.message(), depth + 1);
    else if (field === 6 && type === BYTES && depth < MAX_VALUE_DEPTH)
      value = attributesIn(reader.message(), depth + 1);
    else reader.skip();
  }
  return value;
}

function readList(reader: ProtobufReader, depth: number): unknown[] {
  const list: unknown[] = [];
  while (reader.next()) {
    if (reader.field === 1 && reader.type === BYTES) list.push(readValue(reader.message(), depth));
    else reader.skip();
  }
  return list;
}
