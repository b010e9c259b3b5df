/** Who calls, as an authenticating interceptor found it. */
export interface Principal {
  /** The stable name of the caller, such as "tokens/ci". */
  readonly name: string;
  /** What the caller may do. */
  readonly role: "viewer" | "operator" | "admin";
}
