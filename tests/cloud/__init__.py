"""The pipeline against emulators of cloud services, over real gRPC: `make test-cloud`."""
