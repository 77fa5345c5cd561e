import { useState } from 'preact/hooks';
import { chooseTheme, currentTheme, THEMES, type Theme } from './theme.ts';

const SIGNS: Record<Theme, string> = { system: '◐', light: '○', dark: '●' };

export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(currentTheme);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const change = () => {
    chooseTheme(next);
    setTheme(next);
  };
  return (
    <button
      type="button"
      class="quiet"
      data-testid="theme-switch"
      title={`Theme: ${theme}. Switch to ${next}.`}
      aria-label={`Theme: ${theme}. Switch to ${next}.`}
      onClick={change}
    >
      <span aria-hidden="true">{SIGNS[theme]}</span>
    </button>
  );
}
