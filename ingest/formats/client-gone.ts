/** nginx's status for a client that left before there was an answer, and the reason by which it is found. */
const CLIENT_GONE = { status: 499, error: 'client_disconnected' };

/**
 * What a gateway answered. Those that write 0 where nothing was sent mean a client that left, or a connection that was handed over (WebSocket,
 * server-sent events): a request like any other, which must not vanish for want of a status.
 */
export function answered(status: number | undefined): { status: number | undefined; error: string } {
  return status === 0 ? CLIENT_GONE : { status, error: '' };
}
