"""Streams image files to a detector and prints one JSON object for each answer.

usage: stream_frames.py HOST:PORT IMAGE...
The stubs are made from the protos: python3 -m grpc_tools.protoc --python_out=. --grpc_python_out=. ..."""

import json
import sys
from pathlib import Path

import grpc
from duchenne.v1 import action_unit_pb2, detector_pb2, detector_pb2_grpc


def requests(paths):
    # Photographs, not a video: every image is searched as a whole.
    tracking = detector_pb2.Tracking(detect_every=1)
    configuration = detector_pb2.StreamConfiguration(max_faces=1, tracking=tracking)
    yield detector_pb2.StreamDetectRequest(configuration=configuration)
    for number, path in enumerate(paths, start=1):
        frame = detector_pb2.Frame(sequence=number, image=Path(path).read_bytes())
        frame.capture_time.GetCurrentTime()
        yield detector_pb2.StreamDetectRequest(frame=frame)


def whole_face(face):
    return {
        score.action_unit: {"score": score.score, "present": score.present}
        for score in face.scores
        if score.side == action_unit_pb2.SIDE_UNSPECIFIED
    }


def main(address, *paths):
    with grpc.insecure_channel(address) as channel:
        detector = detector_pb2_grpc.DetectorServiceStub(channel)
        for answer in detector.StreamDetect(requests(paths), timeout=60):
            kind = answer.WhichOneof("message")
            if kind == "configured":
                print(json.dumps({"kind": kind, "model": answer.configured.model.name}))
            elif kind == "result":
                faces = [whole_face(face) for face in answer.result.faces]
                total = answer.result.times.total.ToTimedelta().total_seconds()
                print(json.dumps({"kind": kind, "sequence": answer.result.sequence, "faces": faces, "seconds": total}))
            elif kind == "dropped":
                print(json.dumps({"kind": kind, "sequence": answer.dropped.sequence, "detail": answer.dropped.detail}))
            elif kind == "summary":
                print(json.dumps({"kind": kind, "answered": answer.summary.frames_answered}))
        try:
            detector.DetectFaces(detector_pb2.DetectFacesRequest(image=b"no image"))
        except grpc.RpcError as error:
            print(json.dumps({"kind": "error", "code": error.code().name, "detail": error.details()}))


main(*sys.argv[1:])
