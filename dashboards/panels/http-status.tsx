import { classOfStatus } from '../charts/stack.ts';

export function HttpStatus({ status }: { status: number }) {
  return (
    <span class="http-status">
      <i class={`swatch swatch-${classOfStatus(status)}`} aria-hidden="true" />
      {status}
    </span>
  );
}
