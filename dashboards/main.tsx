import 'uplot/dist/uPlot.min.css';
import './styles/theme.css';
import './styles/controls.css';
import './styles/console.css';
import './styles/usage-tab.css';
import './styles/charts.css';
import './styles/tables.css';
import './styles/overview.css';
import './styles/requests.css';
import './styles/pages.css';
import { render } from 'preact';
import { Console } from './console/console.tsx';

render(<Console />, document.getElementById('app')!);
