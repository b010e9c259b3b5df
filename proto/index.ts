/** The generated messages and service descriptors of duchenne.v1. */
export * from "./gen/duchenne/v1/action_unit_pb.ts";
export * from "./gen/duchenne/v1/dataset_pb.ts";
export * from "./gen/duchenne/v1/detector_pb.ts";
export * from "./gen/duchenne/v1/evaluator_pb.ts";
export * from "./gen/duchenne/v1/job_pb.ts";
export * from "./gen/duchenne/v1/model_pb.ts";
export * from "./gen/duchenne/v1/trainer_pb.ts";
