import { useState } from 'preact/hooks';
import { shownText } from './shown-text.ts';

/**
 * A field whose value is read as it is typed: it keeps the letters that reading drops ("7, ", "1.0"), and follows the value
 * when something else changes it. `canonical` writes a text as its value is written.
 */
export function useTyped(value: string, canonical: (text: string) => string, onText: (text: string) => void) {
  const [typed, setTyped] = useState(value);
  return {
    value: shownText(typed, value, canonical),
    onValue: (text: string) => {
      setTyped(text);
      onText(text);
    },
  };
}
