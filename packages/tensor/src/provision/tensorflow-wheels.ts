/** A wheel of which parts are needed. */
export interface Wheel {
  /** name==version */
  readonly package: string;
  readonly sha256: string;
  /** Beginnings of the paths within it that are unpacked. */
  readonly wanted: readonly string[];
}

/** A build of TensorFlow, by the hardware that it runs on. */
export interface TensorFlowBuild {
  /** The first holds TensorFlow. */
  readonly wheels: readonly [Wheel, ...Wheel[]];
  /** Which of a package's wheels, in pip's words. */
  readonly target: readonly string[];
  /** Of all its downloads, for people: "260 MB". */
  readonly size: string;
}

/** What TensorFlow computes on. "cuda" also runs on a machine without a GPU. */
export type Accelerator = "cpu" | "cuda";

/** The version that every build has. */
export const TENSORFLOW_VERSION = "2.20.0";

const TENSORFLOW_PARTS = ["tensorflow/include/", "tensorflow/libtensorflow_"];
const target = ["--implementation", "cp", "--python-version", "3.13", "--platform", "manylinux2014_x86_64"];
const nvidia = (name: string, sha256: string): Wheel => ({ package: `nvidia-${name}`, sha256, wanted: ["nvidia/"] });

/**
 * The pinned wheels by platform: those that pip resolves `tensorflow-cpu` and `tensorflow[and-cuda]` to. Compilers first,
 * then what links to what stands before it: so they are loaded.
 */
export const TENSORFLOW_BUILDS: Readonly<Record<string, Readonly<Record<Accelerator, TensorFlowBuild>>>> = {
  "linux-x64": {
    cpu: {
      target,
      size: "260 MB",
      wheels: [
        {
          package: `tensorflow-cpu==${TENSORFLOW_VERSION}`,
          sha256: "da6e7791e5e10ec84e6225c45e04fee05f33d7b828c9b61cc905f4146f7c64b5",
          wanted: TENSORFLOW_PARTS,
        },
      ],
    },
    cuda: {
      target: [...target, "--platform", "manylinux_2_27_x86_64"],
      size: "about 3 GB",
      wheels: [
        {
          package: `tensorflow==${TENSORFLOW_VERSION}`,
          sha256: "5fa3729b0126f75a99882b89fb7d536515721eda8014a63e259e780ba0a37372",
          wanted: TENSORFLOW_PARTS,
        },
        nvidia("cuda-nvcc-cu12==12.9.86", "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0"),
        nvidia("cuda-runtime-cu12==12.9.79", "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3"),
        nvidia("cuda-nvrtc-cu12==12.9.86", "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4"),
        nvidia("cuda-cupti-cu12==12.8.90", "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182"),
        nvidia("nvjitlink-cu12==12.9.86", "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9"),
        nvidia("cublas-cu12==12.9.3.13", "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72"),
        nvidia("cusparse-cu12==12.5.10.65", "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78"),
        nvidia("cusolver-cu12==11.7.5.82", "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88"),
        nvidia("cufft-cu12==11.4.1.4", "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28"),
        nvidia("curand-cu12==10.3.10.19", "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e"),
        nvidia("cudnn-cu12==9.28.0.42", "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375"),
        nvidia("nccl-cu12==2.32.3", "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c"),
      ],
    },
  },
};
