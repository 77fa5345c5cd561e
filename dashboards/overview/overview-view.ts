import { readTimeView, searchText, type TimeView, timeFields } from '../time/time-view.ts';

export const readOverviewView = (search: URLSearchParams, viewerZone: string): TimeView =>
  readTimeView(search, viewerZone);

export const writeOverviewView = (view: TimeView): string => searchText(timeFields(view));
