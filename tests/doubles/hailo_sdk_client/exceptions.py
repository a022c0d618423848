"""Exceptions of the SDK, as far as its documentation and published logs name them."""


def _of_the_sdk(name):
    return type(name, (Exception,), {"__module__": "hailo_sdk_client"})


AccelerasValueError = _of_the_sdk("AccelerasValueError")
AllocatorScriptParserException = _of_the_sdk("AllocatorScriptParserException")
BackendAllocatorException = _of_the_sdk("BackendAllocatorException")
BadInputsShape = _of_the_sdk("BadInputsShape")
MisspellNodeError = _of_the_sdk("MisspellNodeError")
ParsingWithRecommendationException = _of_the_sdk("ParsingWithRecommendationException")
UnsupportedOperationError = _of_the_sdk("UnsupportedOperationError")
