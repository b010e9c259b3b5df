/** The ways of keeping a store and what makes them fail, for programs that are no tests of vitest's. */
export { childrenOf, isRunning, sendIfThere } from "./child-processes.ts";
export { type ContractDriver, contractDrivers } from "./contract-driver.ts";
export { type NetworkProxy, startProxy } from "./network-proxy.ts";
