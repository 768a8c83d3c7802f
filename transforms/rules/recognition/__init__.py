"""What an event is about: destination, program, script, suspicion, exceptions (specification, sections 3 and 4).

- **Origin**: who a program comes from. It is the signer, or else the signature status and the folder.
- **Causality**: the process at the head of the chain that led to the event's process, as the vendor reports it.
- **Fingerprint**: what a scripting engine runs, as `ENGINE|TARGET`, such as `python|script:c:/users/*/bot.py`.
- **Resolver**: a system process that asks DNS for others. Its lookups are not its own communications.
"""
