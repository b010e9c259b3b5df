import { describe } from "vitest";
import { connectedDrivers, contractDrivers, mixedDrivers, useStore } from "../test-fixtures/index.ts";
import { aliasesContract } from "./contract/aliases-contract.ts";
import { attemptsContract } from "./contract/attempts-contract.ts";
import { changesContract } from "./contract/changes-contract.ts";
import { clocksContract } from "./contract/clocks-contract.ts";
import { connectionsContract } from "./contract/connections-contract.ts";
import { datasetFilesContract } from "./contract/dataset-files-contract.ts";
import { deletedDatasetsContract } from "./contract/deleted-datasets-contract.ts";
import { dependenciesContract } from "./contract/dependencies-contract.ts";
import { failuresContract } from "./contract/failures-contract.ts";
import { familiesContract } from "./contract/families-contract.ts";
import { garbageContract } from "./contract/garbage-contract.ts";
import { jobsContract } from "./contract/jobs-contract.ts";
import { madeVersionsContract } from "./contract/made-versions-contract.ts";
import { migrationsContract } from "./contract/migrations-contract.ts";
import { modelsContract } from "./contract/models-contract.ts";
import { objectsContract } from "./contract/objects-contract.ts";
import { ownershipContract } from "./contract/ownership-contract.ts";
import { recordsContract } from "./contract/records-contract.ts";

/** What takes the database and the objects together. */
const OF_BOTH_PARTS = [
  modelsContract,
  recordsContract,
  datasetFilesContract,
  deletedDatasetsContract,
  objectsContract,
  ownershipContract,
  garbageContract,
];

// What the store promises, on each way of keeping it.
describe.each(contractDrivers)("$name", (driver) => {
  const fixture = useStore(driver);
  jobsContract(fixture);
  attemptsContract(fixture);
  clocksContract(fixture);
  dependenciesContract(fixture);
  familiesContract(fixture);
  for (const contract of OF_BOTH_PARTS) contract(fixture);
  madeVersionsContract(fixture);
  aliasesContract(fixture);
  changesContract(fixture);
  migrationsContract(fixture);
  failuresContract(fixture);
  if (connectedDrivers.includes(driver)) connectionsContract(fixture);
});

// The same where only one of the parts lies elsewhere.
describe.each(mixedDrivers)("$name", (driver) => {
  const fixture = useStore(driver);
  for (const contract of OF_BOTH_PARTS) contract(fixture);
});
