// The package's own declarations are out of reach: its "exports" name them after "import".
declare module "@libav.js/variant-webm" {
  import type LibAV from "@libav.js/types";

  const wrapper: LibAV.LibAVWrapper;
  export default wrapper;
}
