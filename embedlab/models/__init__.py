"""Networks: the only package that imports torch, torchvision or the ONNX exporter."""
