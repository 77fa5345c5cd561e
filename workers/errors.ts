/**
 * What to do about a failed insert.
 * - `wait`: the store is away or overloaded; all workers pause, no attempt is spent
 * - `retry`: may pass by itself; the same batch again under the same id
 * - `dead_letter`: the rows themselves are wrong; the same rows will fail every time
 * - `crash`: this program does not fit the store; a person must look
 */
export type ErrorClass = 'wait' | 'retry' | 'dead_letter' | 'crash';

/**
 * By ClickHouse's error code. Not by the error's name, which the embedded client reads out of the message text
 * and finds in the statement instead when that holds a word in parentheses.
 */
const BY_CODE: Readonly<Record<number, ErrorClass>> = {
  6: 'dead_letter', // CANNOT_PARSE_TEXT
  25: 'dead_letter', // CANNOT_PARSE_ESCAPE_SEQUENCE
  26: 'dead_letter', // CANNOT_PARSE_QUOTED_STRING
  27: 'dead_letter', // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  33: 'dead_letter', // CANNOT_READ_ALL_DATA
  38: 'dead_letter', // CANNOT_PARSE_DATE
  41: 'dead_letter', // CANNOT_PARSE_DATETIME
  53: 'dead_letter', // TYPE_MISMATCH
  69: 'dead_letter', // ARGUMENT_OUT_OF_BOUND
  72: 'dead_letter', // CANNOT_PARSE_NUMBER
  117: 'dead_letter', // INCORRECT_DATA
  131: 'dead_letter', // TOO_LARGE_STRING_SIZE
  321: 'dead_letter', // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  407: 'dead_letter', // DECIMAL_OVERFLOW
  467: 'dead_letter', // CANNOT_PARSE_BOOL
  469: 'dead_letter', // VIOLATED_CONSTRAINT
  8: 'crash', // THERE_IS_NO_COLUMN
  16: 'crash', // NO_SUCH_COLUMN_IN_TABLE
  47: 'crash', // UNKNOWN_IDENTIFIER
  60: 'crash', // UNKNOWN_TABLE
  62: 'crash', // SYNTAX_ERROR
  81: 'crash', // UNKNOWN_DATABASE
  115: 'crash', // UNKNOWN_SETTING
  159: 'wait', // TIMEOUT_EXCEEDED
  164: 'wait', // READONLY
  194: 'wait', // REQUIRED_PASSWORD
  202: 'wait', // TOO_MANY_SIMULTANEOUS_QUERIES
  209: 'wait', // SOCKET_TIMEOUT
  210: 'wait', // NETWORK_ERROR
  216: 'wait', // QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: an earlier try that was given up here and is still written there
  225: 'wait', // NO_ZOOKEEPER
  241: 'wait', // MEMORY_LIMIT_EXCEEDED
  242: 'wait', // TABLE_IS_READ_ONLY
  243: 'wait', // NOT_ENOUGH_SPACE
  279: 'wait', // ALL_CONNECTION_TRIES_FAILED
  285: 'wait', // TOO_FEW_LIVE_REPLICAS
  286: 'wait', // UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE
  319: 'wait', // UNKNOWN_STATUS_OF_INSERT: the same id again tells
  497: 'wait', // ACCESS_DENIED
  516: 'wait', // AUTHENTICATION_FAILED
  999: 'wait', // KEEPER_EXCEPTION
};
const TOO_MANY_PARTS = 252;

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
]);

/** An answer that is not ClickHouse's: a load balancer's page, which the client passes on as the error's text, or nothing. */
const NOT_CLICKHOUSE = /^\s*(<|$)|bad gateway|service unavailable|gateway time-?out|no healthy upstream/i;

/** Redis answered with an error: it is full, loads its data, became a replica. What was asked for has no part in it. */
export const isRefusedByRedis = (error: unknown): boolean => (error as { name?: string }).name === 'ReplyError';

/**
 * Class of an insert's error. A timeout means "unknown": the same id again tells.
 * Told by shape: the embedded connection raises a class of its own copy of the client, which instanceof does not know.
 */
export function classifyInsertError(error: unknown): ErrorClass {
  const { code, name, message = '' } = error as { code?: string; name?: string; message?: string };
  if (code !== undefined && /^\d+$/.test(code)) return classifyEngineError(Number(code), message);
  if (isRefusedByRedis(error)) return 'wait';
  if (code !== undefined && CONNECTION_CODES.has(code)) return 'wait';
  if (name === 'AggregateError' || message === 'Timeout error.' || message.includes('socket hang up')) return 'wait';
  if (code === undefined && name === 'Error' && NOT_CLICKHOUSE.test(message)) return 'wait';
  return 'retry';
}

function classifyEngineError(code: number, message: string): ErrorClass {
  // One insert over more than 100 partitions raises the same code as merges that fall behind; waiting cures only the latter.
  if (code === TOO_MANY_PARTS) return /partitions for single INSERT/.test(message) ? 'dead_letter' : 'wait';
  return BY_CODE[code] ?? 'retry';
}
