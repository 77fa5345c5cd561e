/** Writes the wire format of Protocol Buffers for tests, from the OTLP JSON form, with the field numbers of its schema. */

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest === 0n ? low : low | 128);
  } while (rest !== 0n);
  return Buffer.from(bytes);
}

const tag = (field: number, type: number): Buffer => varint(BigInt(field * 8 + type));

export function message(field: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([tag(field, 2), varint(BigInt(body.length)), body]);
}

export const number = (field: number, value: number | bigint): Buffer =>
  Buffer.concat([tag(field, 0), varint(BigInt(value))]);

function fixed64(field: number, value: string): Buffer {
  const body = Buffer.alloc(8);
  body.writeBigUInt64LE(BigInt(value));
  return Buffer.concat([tag(field, 1), body]);
}

// biome-ignore lint/suspicious/noExplicitAny: test data in the shape of OTLP's JSON.
type Json = any;

function anyValue(value: Json): Buffer[] {
  if ('stringValue' in value) return [message(1, Buffer.from(value.stringValue))];
  if ('boolValue' in value) return [number(2, value.boolValue ? 1 : 0)];
  if ('intValue' in value) return [number(3, BigInt(value.intValue))];
  if ('arrayValue' in value)
    return [message(5, ...value.arrayValue.values.map((one: Json) => message(1, ...anyValue(one))))];
  if ('kvlistValue' in value) return [message(6, ...attributes(1, value.kvlistValue.values))];
  const body = Buffer.alloc(8);
  body.writeDoubleLE(value.doubleValue);
  return [Buffer.concat([tag(4, 1), body])];
}

function attributes(field: number, list: Json[]): Buffer[] {
  return list.map(({ key, value }) => message(field, message(1, Buffer.from(key)), message(2, ...anyValue(value))));
}

function span(item: Json): Buffer {
  return message(
    2,
    message(1, Buffer.from(item.traceId, 'hex')),
    message(2, Buffer.from(item.spanId, 'hex')),
    message(5, Buffer.from(item.name)),
    number(6, item.kind),
    fixed64(7, item.startTimeUnixNano),
    fixed64(8, item.endTimeUnixNano),
    ...attributes(9, item.attributes),
    number(10, 0),
    message(15, number(3, 1)),
    Buffer.concat([tag(16, 5), Buffer.alloc(4)]),
  );
}

function logRecord(item: Json): Buffer {
  return message(
    2,
    fixed64(1, item.timeUnixNano),
    number(2, 9),
    ...(item.body === undefined ? [] : [message(5, ...anyValue(item.body))]),
    ...attributes(6, item.attributes),
    ...(item.traceId === undefined
      ? []
      : [message(9, Buffer.from(item.traceId, 'hex')), message(10, Buffer.from(item.spanId, 'hex'))]),
  );
}

/** An export request in protobuf from the same in JSON. */
export function otlpProtobuf(request: Json): Buffer {
  const groups: Json[] = request.resourceSpans ?? request.resourceLogs;
  return Buffer.concat(
    groups.map((group) =>
      message(
        1,
        message(1, ...attributes(1, group.resource.attributes)),
        ...(group.scopeSpans ?? group.scopeLogs).map((scope: Json) =>
          message(
            2,
            message(1, message(1, Buffer.from('scope'))),
            ...(scope.spans?.map(span) ?? scope.logRecords.map(logRecord)),
          ),
        ),
      ),
    ),
  );
}
