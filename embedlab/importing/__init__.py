"""Runs from what others have trained: checkpoints, ONNX bodies, vectors."""
