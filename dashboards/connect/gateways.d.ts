/** The guides of docs/gateways as HTML, made by vite.config.ts when the pages are built. */
declare module 'virtual:gateway-guides' {
  const guides: { name: string; title: string; html: string }[];
  export default guides;
}
