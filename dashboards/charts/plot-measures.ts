/** Wide enough for "1.23M" and "100%", and the same on every chart, so that time lines up between them. */
export const AXIS_WIDTH = 48;
/** Room for half a label at the right end. */
export const END_PADDING = 20;
