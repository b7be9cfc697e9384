// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// A minimal ERC-20, enough to move and to announce it.
contract Coin {
    string public constant name = "Peer Coin";
    string public constant symbol = "PEER";
    uint8 public constant decimals = 6;
    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value; // reverts below zero
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

// One ERC-721 event: the same first topic as ERC-20's, one topic more.
contract Picture {
    event Transfer(address indexed from, address indexed to, uint256 indexed id);

    function mint(address to, uint256 id) external {
        emit Transfer(address(0), to, id);
    }
}

// Moves value in the ways that a tracer has to tell apart.
contract Mover {
    constructor() payable {}

    receive() external payable {}

    // split pays two accounts out of what came in: two internal transfers.
    function split(address payable a, address payable b) external payable {
        (bool okA, ) = a.call{value: msg.value / 2}("");
        (bool okB, ) = b.call{value: msg.value - msg.value / 2}("");
        require(okA && okB);
    }

    // attempt pays `a` inside a frame that reverts and is caught; nothing of
    // that frame, nor of the frames below it, has moved.
    function attempt(address payable a) external payable {
        try this.payThenRevert{value: msg.value}(a) {} catch {}
    }

    function payThenRevert(address payable a) external payable {
        a.transfer(msg.value);
        revert("undone");
    }

    // borrow runs another contract's code in its own name: the delegatecall
    // frame repeats this call's value and moves nothing.
    function borrow(address code) external payable {
        (bool ok, ) = code.delegatecall(abi.encodeWithSignature("nothing()"));
        require(ok);
    }

    function nothing() external payable {}

    // spawn makes a contract that holds value from birth.
    function spawn() external payable returns (address) {
        return address(new Box{value: msg.value}());
    }

    // spawnAndEnd makes one and ends it, its value going to `heir`.
    function spawnAndEnd(address payable heir) external payable {
        new Box{value: msg.value}().end(heir);
    }

    function fail() external payable {
        revert("always");
    }
}

contract Box {
    constructor() payable {}

    function end(address payable heir) external {
        selfdestruct(heir);
    }
}
