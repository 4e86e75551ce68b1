# The project without a GPU; notebooks/explore.ipynb opens on the committed results:
#   docker build -t trsfnet .
#   docker run --rm -p 8888:8888 trsfnet
# It also runs other commands, for example as jobs of profiles/kubernetes:
#   docker run --rm -v "$PWD/runs:/trsfnet/runs" trsfnet trsfnet train -p trsf True
# With CUDA: docker build --build-arg TORCH=cu128 -t trsfnet .
FROM python:3.12-slim

ARG TORCH=cpu
RUN pip install --no-cache-dir torch torchvision --index-url https://download.pytorch.org/whl/${TORCH}

WORKDIR /trsfnet
COPY . .
RUN pip install --no-cache-dir --editable '.[cluster,explore,export,faces]' \
  && useradd --create-home trsfnet \
  && chown --recursive trsfnet .

USER trsfnet
EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "notebooks/explore.ipynb"]
