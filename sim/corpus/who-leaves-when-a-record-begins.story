# between two decisions of a drain the controller began anew, for a new part of the record: the room kept for who was told to leave went to another
blixard-sim 1
seed=844 hosts=5 vms=50 hours=1 faults=host,store,clock,disk,network,qemu,operator world=3
