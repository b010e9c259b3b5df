/** What of the client runs in browsers too: live sessions. It takes any transport, such as @connectrpc/connect-web's. */
export type { CalibrationInput, FrameInput, StreamAnswer, StreamInput } from "./frame-input.ts";
export { streamSession } from "./stream-session.ts";
