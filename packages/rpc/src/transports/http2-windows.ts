/** How much one HTTP/2 connection may send ahead, in bytes. */
export const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;

/** How much one stream may send ahead, in bytes. */
export const STREAM_WINDOW_BYTES = 1024 * 1024;
