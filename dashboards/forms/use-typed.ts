import { useEffect, useRef, useState } from 'preact/hooks';

/**
 * A field whose value is parsed as it is typed: it keeps the letters ("7, ") that parsing would drop, and follows the
 * value when something else changes it.
 */
export function useTyped(value: string, onText: (text: string) => void) {
  const [text, setText] = useState(value);
  const own = useRef(value);
  useEffect(() => {
    if (value !== own.current) setText(value);
    own.current = value;
  }, [value]);
  return {
    value: text,
    onValue: (typed: string) => {
      setText(typed);
      // What the parsed value will look like is not known here; the next value from outside counts as ours.
      own.current = '\u0000';
      onText(typed);
    },
  };
}
