import uplot from 'uplot/dist/uPlot.min.css?inline';
import charts from '../styles/charts.css?inline';
import console from '../styles/console.css?inline';
import controls from '../styles/controls.css?inline';
import overview from '../styles/overview.css?inline';
import tables from '../styles/tables.css?inline';
import theme from '../styles/theme.css?inline';
import usageTab from '../styles/usage-tab.css?inline';
import embed from './embed.css?inline';

let sheet: CSSStyleSheet | undefined;

/** One sheet for all elements of a page. Built by script, it needs no exception in the page's security policy. */
export function embedStyles(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    // The element's own reset comes first: `all: initial` after the theme would undo it.
    const styles = [embed, uplot, theme, controls, console, usageTab, charts, tables, overview].join('\n');
    // The width that counts is the element's own: it may stand in a narrow column of a wide window.
    sheet.replaceSync(styles.replace(/@media\s*\((max-width:|width\s*<=)/g, '@container ($1'));
  }
  return sheet;
}
