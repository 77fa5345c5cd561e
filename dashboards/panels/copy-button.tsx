import { useState } from 'preact/hooks';

/** Says that it worked in the button itself; where the clipboard is closed, the text can be marked by hand. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [said, setSaid] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid('Copied');
    } catch {
      setSaid('Mark it and copy by hand');
    }
    setTimeout(() => setSaid(''), 2_000);
  };
  return (
    <button type="button" class="quiet" onClick={copy}>
      {said || 'Copy'}
      <span class="sr-only"> {what}</span>
    </button>
  );
}
