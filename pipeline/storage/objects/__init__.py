"""Object stores: S3 and Azure, each through its vendor's SDK, as one of Beam's file systems.

Beam's own file systems for them are not used: the one for S3 cannot write an empty object and makes a client for every
call; the one for Azure raises where a blob is not there and ignores the account of a path.
"""
