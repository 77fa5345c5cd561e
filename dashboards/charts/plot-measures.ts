/** Wide enough for "0.0005 %" and "0.002 ms", and the same on every chart, so that time lines up between them. */
export const AXIS_WIDTH = 56;
/** Room for half a label at the right end. */
export const END_PADDING = 20;
